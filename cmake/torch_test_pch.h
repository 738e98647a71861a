// Precompiled once for the tests of every layer below the torch line.
#pragma once
#include <string>
#include <vector>

#include "torch_pch.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
