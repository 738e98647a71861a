// RoBERTa (Liu et al. 2019) and DistilRoBERTa (as DistilBERT, Sanh et al. 2019) for sequence classification.
#pragma once

#include "fedtune/models/family.h"

namespace fedtune::models {

// BERT's encoder without a pooler, with one token type; positions are counted from pad_token_id + 1. The head is
// classifier.dense (tanh, on the first token) and classifier.out_proj, with dropout before both.
const Family& roberta();

}  // namespace fedtune::models
