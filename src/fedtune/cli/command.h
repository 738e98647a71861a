// The commands of the program. Each has its own file.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "fedtune/cli/command_line.h"

namespace fedtune::cli {

struct Command {
  std::string_view name;
  std::string_view arguments;  // "PATH", for the usage line
  std::string_view summary;
  std::size_t max_positionals = 0;
  // Option groups that --help lists, and single options of other groups.
  std::vector<std::string_view> help_groups{};
  std::vector<std::string_view> help_options{};
  // What --help says below the options: lines of at most 80 columns, each with its end.
  std::string_view note{};
  // Whether it trains, so that --profile has something to count.
  bool trains = false;
  // Throws Error or Interrupted.
  void (*run)(const CommandLine& line) = nullptr;
};

void run_command(const CommandLine& line);
void server_command(const CommandLine& line);
void client_command(const CommandLine& line);
void keys_command(const CommandLine& line);
void drill_command(const CommandLine& line);
void replay_command(const CommandLine& line);
void pretrain_command(const CommandLine& line);
void sweep_command(const CommandLine& line);
void eval_command(const CommandLine& line);
void predict_command(const CommandLine& line);
void distill_command(const CommandLine& line);
void inspect_command(const CommandLine& line);
void report_command(const CommandLine& line);
void plan_command(const CommandLine& line);
void tune_command(const CommandLine& line);

std::span<const Command> commands();
// Commands that this build has not, since it opens no connection.
std::span<const std::string_view> commands_left_out();

}  // namespace fedtune::cli
