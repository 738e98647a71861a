// Two of a kind, named so that they cannot be mistaken for one another.
#pragma once

namespace fedtune::train {

template <typename T>
struct TeacherAndStudent {
  T teacher;
  T student;
};

}  // namespace fedtune::train
