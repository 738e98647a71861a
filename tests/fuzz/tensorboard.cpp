// An events.jsonl as TensorBoard's records are made of it when a run goes on.
#include "fedtune/report/tensorboard.h"

#include "support.h"

FEDTUNE_FUZZ_TARGET(tensorboard) {
  using namespace fedtune;
  static const fuzz::Scratch scratch;
  fuzz::accepted([&] {
    const report::TensorBoard board(scratch.folder() / "board", fuzz::text_of(data, size));
    return true;
  });
  return 0;
}
