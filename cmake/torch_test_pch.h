// Precompiled once for the tests of every layer below the torch line. Most of them compute with tensors, so here,
// unlike in torch_pch.h, the operators that they share pay for themselves.
#pragma once
#include "torch_pch.h"
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
