// DistilBERT (Sanh et al. 2019) for sequence classification.
#pragma once

#include "fedtune/models/family.h"

namespace fedtune::models {

// No token types and no pooler; the head is pre_classifier (dense and ReLU on the first token) and classifier.
const Family& distilbert();

}  // namespace fedtune::models
