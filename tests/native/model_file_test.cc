// Model files: written whole or not at all, and what the operating system may refuse.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "dynnet/dynnet.h"
#include "text_file_support.h"

namespace dynnet::test {
namespace {

namespace fs = std::filesystem;

TEST(SaveTo, ACallbacksStatusStopsAndIsReturned) {
  ModelHandle model;
  ASSERT_OK(load_from(kText, &model));
  const dn_write_callback refuse = [](void*, const uint8_t*, int64_t) { return DN_E_CANCELLED; };
  expect_failure(dn_model_save_to(model.get(), refuse, nullptr, "", 0, 0), DN_E_CANCELLED, {"callback"});
  expect_failure(dn_model_save_to(model.get(), nullptr, nullptr, "", 0, 0), DN_E_ARGUMENT, {"callback is null"});
  expect_failure(dn_model_save_to(nullptr, refuse, nullptr, "", 0, 0), DN_E_ARGUMENT, {"model is null"});
}

class Files : public testing::Test {
 protected:
  Files() : folder_(fs::temp_directory_path() / ("dynnet-files-" + std::to_string(getpid()))) {
    fs::create_directories(folder_);
    EXPECT_OK(load_from(kText, &model_));
  }
  ~Files() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  size_t files() const { return static_cast<size_t>(std::distance(fs::directory_iterator(folder_), {})); }
  dn_status save(const std::string& file) const {
    return dn_model_save(model_.get(), file.data(), static_cast<int64_t>(file.size()), "", 0, 1);
  }
  static dn_status load(const std::string& file, ModelHandle* out) {
    dn_model* model = nullptr;
    const dn_status status = dn_model_load(file.data(), static_cast<int64_t>(file.size()), "", 0, &model);
    out->reset(model);
    return status;
  }

  fs::path folder_;
  ModelHandle model_;
};

TEST_F(Files, SaveLoadPopulate) {
  ASSERT_OK(save(path("a.model")));
  EXPECT_EQ(content_of(path("a.model")), kText);
  EXPECT_EQ(files(), 1u);
  ModelHandle loaded;
  ASSERT_OK(load(path("a.model"), &loaded));
  EXPECT_EQ(text_of(loaded, true), kText);
  const float other[] = {0, 0};
  ASSERT_OK(dn_parameter_set_values(parameter_at(loaded, 0), other, 2));
  const std::string file = path("a.model");
  ASSERT_OK(dn_model_populate(loaded.get(), file.data(), static_cast<int64_t>(file.size()), "", 0));
  EXPECT_EQ(text_of(loaded, true), kText);
}

TEST_F(Files, ReplacingKeepsPermissionsAndLinks) {
  const std::string file = path("a.model");
  std::ofstream(file) << "old";
  ASSERT_EQ(chmod(file.c_str(), 0640), 0);
  fs::create_symlink("a.model", path("link"));
  ASSERT_OK(save(path("link")));
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_EQ(content_of(file), kText);
  struct stat status {};
  ASSERT_EQ(stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0640u);
  EXPECT_EQ(files(), 2u);
}

TEST_F(Files, MissingFilesAndFolders) {
  ModelHandle loaded;
  expect_failure(load(path("none"), &loaded), DN_E_NOT_FOUND, {path("none")});
  expect_failure(load(folder_.string(), &loaded), DN_E_IO, {"directory"});
  expect_failure(load("", &loaded), DN_E_ARGUMENT, {"path is empty"});
  expect_failure(load(std::string("a\0b", 3), &loaded), DN_E_ARGUMENT, {"zero byte"});
  expect_failure(save(path("missing/a.model")), DN_E_NOT_FOUND, {"missing/a.model", "No such file or directory"});
  expect_failure(save(folder_.string()), DN_E_IO, {"directory"});
  expect_failure(save(""), DN_E_ARGUMENT, {"path is empty"});
  EXPECT_EQ(files(), 0u);
}

// Another user than the superuser, who may read and write everything.
struct Nobody {
  Nobody() { EXPECT_TRUE(!was_root || seteuid(65534) == 0); }
  ~Nobody() { EXPECT_TRUE(!was_root || seteuid(0) == 0); }
  const bool was_root = geteuid() == 0;
};

TEST_F(Files, Permissions) {
  ASSERT_EQ(chmod(folder_.c_str(), 0777), 0);
  const Nobody nobody;
  const std::string file = path("a.model");
  ASSERT_OK(save(file));
  ASSERT_EQ(chmod(file.c_str(), 0), 0);
  ModelHandle loaded;
  expect_failure(load(file, &loaded), DN_E_PERMISSION, {file, "Permission denied"});
  expect_failure(save(file), DN_E_PERMISSION, {file, "Permission denied"});
  const std::string closed = path("closed");
  ASSERT_TRUE(fs::create_directory(closed));
  ASSERT_EQ(chmod(closed.c_str(), 0555), 0);
  expect_failure(save(closed + "/b.model"), DN_E_PERMISSION, {"b.model", "Permission denied"});
}

TEST_F(Files, AFullDeviceIsReported) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full on this machine";
  expect_failure(save("/dev/full"), DN_E_IO, {"/dev/full", "No space left on device"});
  EXPECT_TRUE(fs::is_character_file("/dev/full")) << "a device must not be replaced by a file";
}

TEST_F(Files, AWriteThatFailsLeavesTheOldFile) {
  const ModelHandle large = new_model();
  add(large, {100000}, initializer(DN_INIT_GLOROT, 1), "W");
  const std::string file = path("a.model");
  ASSERT_OK(save(file));
  rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  const rlimit small{100000, old.rlim_max};
  const auto handler = signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const dn_status status = dn_model_save(large.get(), file.data(), static_cast<int64_t>(file.size()), "", 0, 0);
  const std::string message = last_error();
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
  signal(SIGXFSZ, handler);
  EXPECT_EQ(status, DN_E_IO);
  EXPECT_NE(message.find("File too large"), std::string::npos) << message;
  EXPECT_EQ(content_of(file), kText);
  EXPECT_EQ(files(), 1u) << "the temporary file is removed";
}

TEST_F(Files, AFailureWhileWritingLeavesTheOldFile) {
  const std::string file = path("a.model");
  ASSERT_OK(save(file));
  GradientSet& gradients = parameter_at(model_, 0)->storage->gradients();
  ASSERT_TRUE(gradients.try_lock());
  expect_failure(save(file), DN_E_BUSY, {"save"});
  gradients.unlock();
  EXPECT_EQ(content_of(file), kText);
  EXPECT_EQ(files(), 1u);
}

TEST_F(Files, AnEndlessFileMeetsTheMemoryLimit) {
  if (!fs::exists("/dev/zero")) GTEST_SKIP() << "no /dev/zero on this machine";
  const LimitRestorer restore;
  set_memory_limit(memory_used() + (1 << 20));
  ModelHandle loaded;
  expect_failure(load("/dev/zero", &loaded), DN_E_MEMORY, {"reading a file"});
}

TEST_F(Files, AParameterThatCannotBeLoadedIsNotAdded) {
  constexpr uint32_t kSize = 10000;
  const ModelHandle large = new_model();
  dn_parameter* const w = add(large, {kSize}, initializer(DN_INIT_GLOROT, 1), "W");
  w->storage->gradients().accumulate(*w)[1] = 3;
  const std::string file = path("a.model");
  const auto length = static_cast<int64_t>(file.size());
  ASSERT_OK(dn_model_save(large.get(), file.data(), length, "", 0, 1));
  const LimitRestorer restore;
  dn_parameter* loaded = nullptr;
  int failures = 0;
  // The text, the values, their gradient and the gradient's place in the model: the limit meets each of them.
  for (int64_t room = 0; loaded == nullptr && room < 64 * int64_t{kSize}; room += 2 * int64_t{kSize}) {
    set_memory_limit(memory_used() + room);
    const dn_status status = dn_model_load_parameters(model_.get(), file.data(), length, "/W", 2, "V", 1, &loaded);
    set_memory_limit(0);
    if (status == DN_OK) break;
    ASSERT_EQ(status, DN_E_MEMORY) << last_error();
    ++failures;
    const std::string after = path("after.model");
    ASSERT_OK(save(after));
    EXPECT_EQ(content_of(after), kText);
  }
  ASSERT_NE(loaded, nullptr);
  EXPECT_GT(failures, 20) << "more than text, values and gradient as read alone";
  EXPECT_EQ(loaded->name, "/V");
  EXPECT_EQ(values(loaded), values(w));
  EXPECT_EQ(gradient(loaded), gradient(w));
}

TEST_F(Files, ATableThatCannotBeLoadedLeavesNoMemoryBehind) {
  constexpr int64_t kRows = 1000;
  const ModelHandle large = new_model();
  dn_lookup_parameter* const e = add_table(large, kRows, {16}, initializer(DN_INIT_GLOROT, 1), "E");
  for (int32_t row = 0; row < kRows; ++row) add_row_gradient(e, row, std::vector<float>(16, static_cast<float>(row)));
  const std::string file = path("a.model");
  const auto length = static_cast<int64_t>(file.size());
  ASSERT_OK(dn_model_save(large.get(), file.data(), length, "", 0, 1));
  const LimitRestorer restore;
  dn_lookup_parameter* loaded = nullptr;
  int failures = 0;
  for (int64_t room = 0; loaded == nullptr && room < 1'000'000; room += 10'000) {
    const int64_t before = memory_used();
    set_memory_limit(before + room);
    const dn_status status =
        dn_model_load_lookup_parameters(model_.get(), file.data(), length, "/E", 2, "F", 1, &loaded);
    set_memory_limit(0);
    if (status == DN_OK) break;
    ASSERT_EQ(status, DN_E_MEMORY) << last_error();
    EXPECT_EQ(memory_used(), before) << room;
    ++failures;
  }
  ASSERT_NE(loaded, nullptr);
  EXPECT_GT(failures, 20);
  EXPECT_EQ(loaded->name, "/F");
  EXPECT_EQ(values(loaded), values(e));
  EXPECT_EQ(row_gradient(loaded, 7), row_gradient(e, 7));
}

TEST_F(Files, LinksThatLeadToNothingAreFollowed) {
  fs::create_directories(path("sub"));
  fs::create_symlink("sub/a.model", path("link"));
  fs::create_symlink("link", path("link to link"));
  ASSERT_OK(save(path("link to link")));
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_TRUE(fs::is_symlink(path("link to link")));
  EXPECT_EQ(content_of(path("sub/a.model")), kText);
  fs::create_symlink("round", path("round"));
  expect_failure(save(path("round")), DN_E_IO, {"round"});
}

TEST_F(Files, ANameMayBeAsLongAsTheSystemAllows) {
  const std::string file = path(std::string(255, 'n'));
  ASSERT_OK(save(file));
  ASSERT_OK(save(file));
  EXPECT_EQ(content_of(file), kText);
  EXPECT_EQ(files(), 1u);
}

TEST_F(Files, OneAppearsWhenItIsCommitted) {
  const std::string name = path("a.txt");
  const auto* const word = reinterpret_cast<const uint8_t*>("word");
  const auto begin = [&] {
    dn_file* file = nullptr;
    EXPECT_OK(dn_file_create(name.data(), static_cast<int64_t>(name.size()), &file));
    return std::unique_ptr<dn_file, Freer<dn_file_free>>(file);
  };
  {
    const auto left = begin();
    ASSERT_OK(dn_file_write(left.get(), word, 4));
  }
  EXPECT_EQ(files(), 0u);
  const auto file = begin();
  ASSERT_OK(dn_file_write(file.get(), word, 4));
  ASSERT_OK(dn_file_write(file.get(), nullptr, 0));
  ASSERT_OK(dn_file_write(file.get(), word, 2));
  EXPECT_FALSE(fs::exists(name));
  ASSERT_OK(dn_file_commit(file.get()));
  EXPECT_EQ(content_of(name), "wordwo");
  EXPECT_EQ(files(), 1u);
  expect_failure(dn_file_write(file.get(), word, 4), DN_E_STATE, {"a.txt", "already"});
  expect_failure(dn_file_commit(file.get()), DN_E_STATE, {"a.txt", "already"});
  expect_failure(dn_file_write(file.get(), nullptr, 4), DN_E_ARGUMENT, {"null"});
  dn_file* none = nullptr;
  const std::string missing = path("none/a.txt");
  expect_failure(dn_file_create(missing.data(), static_cast<int64_t>(missing.size()), &none), DN_E_NOT_FOUND,
                 {"none/a.txt"});
  expect_failure(dn_file_create("", 0, &none), DN_E_ARGUMENT, {"empty"});
}

}  // namespace
}  // namespace dynnet::test
