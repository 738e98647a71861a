#include "fedtune/cli/main.h"

int main(int argc, char** argv) {
  return fedtune::cli::main(argc, argv);
}
