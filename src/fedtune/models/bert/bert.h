// BERT (Devlin et al. 2018) for sequence classification.
#pragma once

#include "fedtune/models/family.h"

namespace fedtune::models {

// The pooler (dense and tanh on the first token) belongs to the encoder; the head is the classifier alone.
const Family& bert();

}  // namespace fedtune::models
