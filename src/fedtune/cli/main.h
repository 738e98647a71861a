// The program: reads the command line, runs a command, maps what went wrong to an exit code.
#pragma once

namespace fedtune::cli {

// 0 done, 1 failed, 2 bad usage or configuration, 3 bad data or model, 4 network, 130 or 143 interrupted.
int main(int argc, char** argv);

}  // namespace fedtune::cli
