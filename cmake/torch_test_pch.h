// Precompiled once for the tests of every layer below the torch line.
#pragma once
#include "torch_pch.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
