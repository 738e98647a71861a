#include "fedtune/hub/repository.h"

#include <gtest/gtest.h>

namespace fedtune::hub {
namespace {

TEST(HubRepository, AnIdIsOneNameOrTwo) {
  for (const char* id : {"glue", "bert-base-uncased", "owner/name", "a_b/c.d-1"}) EXPECT_TRUE(is_hub_id(id)) << id;
  for (const char* id : {"", "/", "a/", "/a", "a/b/c", ".hidden", "-option", "a/..", "na me", "a/.b"}) {
    EXPECT_FALSE(is_hub_id(id)) << id;
  }
  EXPECT_FALSE(is_hub_id(std::string(97, 'a')));
}

TEST(HubRepository, ModelsAndDataSetsHavePlacesOfTheirOwn) {
  const Repository model{.type = RepoType::model, .id = "owner/name"};
  EXPECT_EQ(model.folder_name(), "models--owner--name");
  EXPECT_EQ(model.api_path(), "/api/models/owner/name");
  EXPECT_EQ(model.page_path(), "/owner/name");
  const Repository data{.type = RepoType::dataset, .id = "glue"};
  EXPECT_EQ(data.folder_name(), "datasets--glue");
  EXPECT_EQ(data.api_path(), "/api/datasets/glue");
  EXPECT_EQ(data.page_path(), "/datasets/glue");
}

}  // namespace
}  // namespace fedtune::hub
