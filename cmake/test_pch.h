// Precompiled once for the tests of every layer above the torch line.
#pragma once
#include "core_pch.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
