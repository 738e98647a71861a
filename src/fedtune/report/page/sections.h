// The parts of a report's page, each a piece of HTML; empty where there is nothing to show.
#pragma once

#include <string>

#include "fedtune/report/page/line_chart.h"
#include "fedtune/report/page/markup.h"
#include "fedtune/report/page/study.h"

namespace fedtune::report {

std::string overview_section(const Study& study);    // what was run, and how it ended
std::string data_section(const Study& study);        // label counts per client
std::string scores_section(const Study& study);      // accuracy, MCC, loss per round; teacher against student
std::string seeds_section(const Study& study);       // means, intervals, paired tests
std::string cost_section(const Study& study);        // bytes against accuracy, time by phase
std::string clients_section(const Study& study);     // contributions
std::string averaging_section(const Study& study);   // what averaging A and B apart costs
std::string provenance_section(const Study& study);  // commands, options, hashes

// <section> with a heading that the page's contents can point at.
struct Section {
  std::string id, title, lead, body;
};
std::string to_html(const Section& section);

// A chart, a sentence below its heading, and its figures as a table.
struct Figure {
  std::string title, note, svg;
  Table table;
};
std::string to_html(const Figure& figure);
// A figure of a line chart: its summary and its table are made from the lines.
std::string line_figure(LineChart chart, std::string note);

}  // namespace fedtune::report
