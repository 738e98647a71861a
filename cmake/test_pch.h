// Precompiled once for the tests of every layer above the torch line.
#pragma once
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
