#include "fedtune/base/file.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file_error.h"
#include "fedtune/base/temporary_folder.h"
#include "fedtune/base/testing_memory.h"

namespace fedtune {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class FileTest : public testing::Test {
 protected:
  std::size_t entries() const {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path())) ++count;
    return count;
  }
  void put(const std::string& name, const std::string& content) const {
    std::ofstream(folder / name, std::ios::binary) << content;
  }

  TemporaryFolder folder;
};

template <typename Body>
Error error_of(Body body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "expected an error";
  return failed("none");
}

// No file of this process may grow beyond `bytes` while it lives: writes fail as they do on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    previous_handler_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &previous_);
    const struct rlimit limit = {bytes, previous_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &previous_);
    std::signal(SIGXFSZ, previous_handler_);
  }

 private:
  struct rlimit previous_ = {};
  void (*previous_handler_)(int);
};

TEST_F(FileTest, WhatIsWrittenIsReadBack) {
  const std::string content("a\0b\n", 4);
  write_file_atomically(folder / "file", content);
  EXPECT_EQ(read_file(folder / "file"), content);
}

TEST_F(FileTest, AnAtomicWriteReplacesAndLeavesNothingElse) {
  put("file", "old");
  write_file_atomically(folder / "file", "new");
  EXPECT_EQ(read_file(folder / "file"), "new");
  EXPECT_EQ(entries(), 1u);
}

TEST_F(FileTest, AWriteThatFailsLeavesTheOldFileAndNoTemporary) {
  put("file", "old");
  const std::string big(100'000, 'x');
  const Error error = error_of([&] {
    const FileSizeLimit limit(4096);
    write_file_atomically(folder / "file", big);
  });
  EXPECT_EQ(error.kind(), ErrorKind::failed);
  EXPECT_THAT(error.what(), AllOf(HasSubstr((folder / "file").string()), HasSubstr("File too large")));
  EXPECT_EQ(read_file(folder / "file"), "old");
  EXPECT_EQ(entries(), 1u);
}

TEST_F(FileTest, AnAtomicFileThatIsNotCommittedNeverAppears) {
  { AtomicFile(folder / "file").write("text"); }
  EXPECT_EQ(entries(), 0u);
}

TEST_F(FileTest, WritingIntoAMissingFolderSaysWhatToDo) {
  const Error error = error_of([&] { write_file_atomically(folder / "none" / "file", "text"); });
  EXPECT_EQ(error.kind(), ErrorKind::failed);
  EXPECT_THAT(error.what(), HasSubstr("create the folder first"));
}

TEST_F(FileTest, TemporaryFilesOfAKilledProcessAreRemoved) {
  put(".file.fedtune-tmp-1-0", "torn");
  put("file", "whole");
  remove_temporary_files(folder.path());
  EXPECT_EQ(entries(), 1u);
  EXPECT_EQ(read_file(folder / "file"), "whole");
}

TEST(WriteError, AFullDiskNamesPathReasonAndRemedy) {
  const Error error = write_error("/data/file", ENOSPC);
  EXPECT_EQ(error.kind(), ErrorKind::failed);
  EXPECT_STREQ(error.what(), "writing /data/file: No space left on device; free some space or choose another folder");
}

TEST(WriteError, AReadOnlyFolderNamesPathReasonAndRemedy) {
  EXPECT_THAT(write_error("/data/file", EROFS).what(),
              AllOf(HasSubstr("Read-only file system"), HasSubstr("choose a folder that can be written to")));
  EXPECT_THAT(write_error("/data/file", EACCES).what(),
              AllOf(HasSubstr("Permission denied"), HasSubstr("change its permissions")));
}

TEST_F(FileTest, ReadingAMissingFileIsAnInputErrorThatNamesIt) {
  const Error error = error_of([&] { read_file(folder / "none"); });
  EXPECT_EQ(error.kind(), ErrorKind::input);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("none"), HasSubstr("No such file")));
}

TEST_F(FileTest, ReadingAFolderIsAnInputError) {
  EXPECT_EQ(error_of([&] { read_file(folder.path()); }).kind(), ErrorKind::input);
  EXPECT_THAT(error_of([&] { MappedFile::open(folder.path()); }).what(), HasSubstr("Is a directory"));
}

TEST_F(FileTest, AMappedFileShowsTheBytesUntilItsLastOwnerIsGone) {
  put("file", "content");
  std::shared_ptr<const MappedFile> file = MappedFile::open(folder / "file");
  std::filesystem::remove(folder / "file");
  ASSERT_EQ(file->bytes().size(), 7u);
  EXPECT_EQ(static_cast<char>(file->bytes()[6]), 't');
}

TEST_F(FileTest, AnEmptyFileMapsToNoBytes) {
  put("file", "");
  const std::shared_ptr<const MappedFile> file = MappedFile::open(folder / "file");
  EXPECT_TRUE(file->bytes().empty());
  release_pages(file->bytes());
}

TEST_F(FileTest, AMappedFileIsReadAgainOnceItsPagesAreReleased) {
  constexpr std::size_t size = std::size_t{1} << 20U;
  put("file", std::string(size, 'x'));
  const std::shared_ptr<const MappedFile> file = MappedFile::open(folder / "file");
  const auto all_there = [&] {
    return std::ranges::count(file->bytes(), std::byte{'x'}) == static_cast<std::ptrdiff_t>(size);
  };
  EXPECT_TRUE(all_there());
  EXPECT_EQ(resident_kb(file->bytes().data()), 1024);
  release_pages(file->bytes().subspan(size / 2, 1));
  EXPECT_EQ(resident_kb(file->bytes().data()), 0);
  EXPECT_TRUE(all_there());
}

TEST_F(FileTest, OfAFileThatIsReadInPartsThePagesFarFromAPartStay) {
  constexpr std::size_t megabyte = std::size_t{1} << 20U, size = 16 * megabyte;
  put("file", std::string(size, 'x'));
  const std::shared_ptr<const MappedFile> file = MappedFile::open(folder / "file");
  EXPECT_EQ(std::ranges::count(file->bytes(), std::byte{'x'}), static_cast<std::ptrdiff_t>(size));
  release_pages(file->bytes().subspan(8 * megabyte, megabyte));
  // Of a huge page that is let go of in part all goes.
  EXPECT_LE(resident_kb(file->bytes().data()), 11 * 1024);
  EXPECT_GE(resident_kb(file->bytes().data()), 7 * 1024);
}

TEST_F(FileTest, BytesThatAreNotOfAMappedFileAreNotReleased) {
  put("file", std::string(10'000, 'x'));
  const std::shared_ptr<const MappedFile> file = MappedFile::open(folder / "file");
  const std::vector<std::byte> memory(100'000, std::byte{'x'});
  release_pages(memory);
  release_pages({file->bytes().data(), 20'000});  // it ends before
  release_pages({});
  EXPECT_EQ(std::ranges::count(memory, std::byte{'x'}), 100'000);
}

TEST_F(FileTest, AppendedLinesFollowWhatIsThere) {
  AppendFile(folder / "log").append_line("one");
  AppendFile log(folder / "log");
  log.append_line("two");
  EXPECT_EQ(read_file(folder / "log"), "one\ntwo\n");
  EXPECT_EQ(log.size(), 8);
}

TEST_F(FileTest, ALineTornByACrashIsCutOffOnOpening) {
  const std::string long_tail(10'000, 'x');
  put("log", "one\n" + long_tail);
  AppendFile log(folder / "log");
  EXPECT_EQ(log.size(), 4);
  log.append_line("two");
  EXPECT_EQ(read_file(folder / "log"), "one\ntwo\n");
}

TEST_F(FileTest, ALineThatCannotBeWrittenWholeIsCutOff) {
  AppendFile log(folder / "log");
  log.append_line("one");
  const std::string long_line(100'000, 'x');
  EXPECT_EQ(error_of([&] {
              const FileSizeLimit limit(4096);
              log.append_line(long_line);
            }).kind(),
            ErrorKind::failed);
  EXPECT_EQ(read_file(folder / "log"), "one\n");
}

TEST(AppendFile, AFullDiskIsReported) {
  AppendFile log("/dev/full");
  EXPECT_THAT(error_of([&] { log.append_line("text"); }).what(), HasSubstr("No space left on device"));
}

TEST_F(FileTest, AFileIsLengthenedByWhatIsAppended) {
  put("log", "one\n");
  append_to_file(folder / "log", "two\nthree\n");
  EXPECT_EQ(read_file(folder / "log"), "one\ntwo\nthree\n");
}

TEST_F(FileTest, AppendingToWhatIsNotThereIsAnError) {
  EXPECT_EQ(error_of([&] { append_to_file(folder / "none", "text"); }).kind(), ErrorKind::failed);
  EXPECT_FALSE(std::filesystem::exists(folder / "none"));
  EXPECT_THAT(error_of([&] { append_to_file("/dev/full", "text"); }).what(), HasSubstr("No space left on device"));
}

TEST_F(FileTest, CuttingShortensAndNeverLengthens) {
  put("log", "one\ntwo\n");
  cut_file(folder / "log", 4);
  EXPECT_EQ(read_file(folder / "log"), "one\n");
  cut_file(folder / "log", 100);
  EXPECT_EQ(read_file(folder / "log"), "one\n");
  EXPECT_NO_THROW(cut_file(folder / "none", 0));
}

}  // namespace
}  // namespace fedtune
