// Trainers' states as text: training goes on with the same bits, and what is wrong with a wrong text.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "dynnet/dynnet.h"
#include "trainer_support.h"

namespace dynnet::test {
namespace {

std::string text_of(const TrainerHandle& trainer) {
  std::string text;
  const dn_write_callback append = [](void* context, const uint8_t* bytes, int64_t count) {
    static_cast<std::string*>(context)->append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(count));
    return DN_OK;
  };
  EXPECT_OK(dn_trainer_save_to(trainer.get(), append, &text));
  return text;
}

dn_status populate_from(const TrainerHandle& trainer, std::string_view text) {
  return dn_trainer_populate_from(trainer.get(), reinterpret_cast<const uint8_t*>(text.data()),
                                  static_cast<int64_t>(text.size()));
}

/// A model with a trainer, and updates whose gradients depend on their number.
struct Training {
  explicit Training(const TrainerKind& kind, bool sparse = true) : trainer(kind.make(model)) {
    EXPECT_OK(dn_trainer_set_sparse_updates(trainer.get(), sparse ? 1 : 0));
  }

  void update(uint32_t t) {
    add_gradient(w, random_floats(19, t));
    add_row_gradient(e, static_cast<int32_t>(t % 3), random_floats(5, 100 + t));
    EXPECT_OK(dn_trainer_update(trainer.get()));
  }
  std::vector<float> all() const {
    std::vector<float> result = values(w);
    for (const float value : values(unused)) result.push_back(value);
    for (const float value : values(e)) result.push_back(value);
    return result;
  }
  void take_values_of(const Training& other) {
    const std::vector<float> own = values(other.w), one = values(other.unused), table = values(other.e);
    EXPECT_OK(dn_parameter_set_values(unused, one.data(), 1));
    EXPECT_OK(dn_parameter_set_values(w, own.data(), static_cast<int64_t>(own.size())));
    EXPECT_OK(dn_lookup_parameter_set_values(e, table.data(), static_cast<int64_t>(table.size())));
  }

  ModelHandle model = new_model();
  dn_parameter* w = add(model, random_floats(19, 1, 1, 2), "W");
  dn_parameter* unused = add(model, {1.0f}, "unused");
  dn_lookup_parameter* e = add_table(model, 4, {5}, values_of(random_floats(20, 2, 1, 2)), "E");
  TrainerHandle trainer;
};

class TrainerFiles : public testing::TestWithParam<TrainerKind> {};

TEST_P(TrainerFiles, TrainingGoesOnWithTheSameBits) {
  for (const bool sparse : {true, false}) {
    const auto prepare = [](Training& training) {
      EXPECT_OK(dn_trainer_use_exponential_average(training.trainer.get(), 0.7, 2));
    };
    Training first(GetParam(), sparse);
    prepare(first);
    ASSERT_OK(dn_trainer_set_clip_threshold(first.trainer.get(), 1.25));
    ASSERT_OK(dn_trainer_set_clip_value(first.trainer.get(), 0.75));
    for (uint32_t t = 1; t <= 7; ++t) first.update(t);
    ASSERT_OK(dn_trainer_restart(first.trainer.get()));
    for (uint32_t t = 8; t <= 12; ++t) first.update(t);
    const std::string text = text_of(first.trainer);

    // The second has the defaults, which the text replaces.
    Training second(GetParam());
    ASSERT_OK(populate_from(second.trainer, text));
    second.take_values_of(first);
    EXPECT_EQ(text_of(second.trainer), text);
    for (uint32_t t = 13; t <= 20; ++t) {
      first.update(t);
      second.update(t);
      ASSERT_EQ(second.all(), first.all()) << "update " << t;
    }
    EXPECT_EQ(text_of(second.trainer), text_of(first.trainer));
    ASSERT_OK(dn_trainer_swap_to_average(first.trainer.get(), 1, 1));
    ASSERT_OK(dn_trainer_swap_to_average(second.trainer.get(), 1, 1));
    EXPECT_EQ(second.all(), first.all());
  }
}

INSTANTIATE_TEST_SUITE_P(All, TrainerFiles, testing::ValuesIn(trainer_kinds()),
                         [](const auto& kind) { return kind.param.name; });

TrainerKind kind_called(std::string_view name) {
  for (const TrainerKind& kind : trainer_kinds())
    if (kind.name == name) return kind;
  ADD_FAILURE() << name;
  return {};
}

TEST(TrainerFile, TheFormatIsAsDocumented) {
  const ModelHandle model = new_model();
  dn_parameter* w = add(model, {1.0f, 2.0f}, "W");
  add_table(model, 3, {2}, initializer(DN_INIT_CONSTANT, 0), "E");
  const TrainerHandle trainer = kind_called("momentum_sgd").make(model);
  ASSERT_OK(dn_trainer_use_cumulative_average(trainer.get(), 1));
  add_gradient(w, {1, -2});
  ASSERT_OK(dn_trainer_update(trainer.get()));
  EXPECT_EQ(text_of(trainer),
            "#Trainer# 1 momentum_sgd 0.9\n"
            "#State# 0.001 0 0 1 1 0 1 1 0\n"
            "#Average# 1 0 1\n"
            "#Trained# 2\n"
            "#Parameter# /W {2} 1 1\n"
            "#LookupParameter# /E {2,3} 0 1\n"
            "#Parameter# /moment0/W {2} 33 ZERO_GRAD\n"
            "-1.00000005e-03 +2.00000009e-03 \n"
            "#Parameter# /average/W {2} 33 ZERO_GRAD\n"
            "+9.99000013e-01 +2.00200009e+00 \n"
            "#LookupParameter# /average/E {2,3} 97 ZERO_GRAD\n"
            "+0.00000000e+00 +0.00000000e+00 +0.00000000e+00 +0.00000000e+00 +0.00000000e+00 +0.00000000e+00 \n");
}

TEST(TrainerFile, GoesThroughAFile) {
  char folder[] = "/tmp/dynnet-trainer-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string path = std::string(folder) + "/a.trainer";
  const auto length = static_cast<int64_t>(path.size());
  Training first(kind_called("adam"));
  first.update(1);
  ASSERT_OK(dn_trainer_save(first.trainer.get(), path.data(), length));
  Training second(kind_called("adam"));
  ASSERT_OK(dn_trainer_populate(second.trainer.get(), path.data(), length));
  EXPECT_EQ(text_of(second.trainer), text_of(first.trainer));
  Training other(kind_called("adagrad"));
  expect_failure(dn_trainer_populate(other.trainer.get(), path.data(), length), DN_E_FORMAT, {path, "adam", "adagrad"});
  std::filesystem::remove_all(folder);
  expect_failure(dn_trainer_populate(second.trainer.get(), path.data(), length), DN_E_NOT_FOUND, {path});
  expect_failure(dn_trainer_save(first.trainer.get(), path.data(), length), DN_E_NOT_FOUND, {path});
  expect_failure(dn_trainer_save(first.trainer.get(), "", 0), DN_E_ARGUMENT, {"path is empty"});
  expect_failure(dn_trainer_save_to(first.trainer.get(), nullptr, nullptr), DN_E_ARGUMENT, {"callback is null"});
}

TEST(TrainerFile, OfAnotherModelSaysWhatDiffers) {
  Training saved(kind_called("adam"));
  saved.update(1);
  const std::string text = text_of(saved.trainer);
  const auto expect_difference = [&](const std::function<void(const ModelHandle&)>& make,
                                     std::initializer_list<std::string_view> words) {
    const ModelHandle model = new_model();
    make(model);
    const TrainerHandle trainer = kind_called("adam").make(model);
    const std::string before = text_of(trainer);
    expect_failure(populate_from(trainer, text), DN_E_FORMAT, words);
    EXPECT_NE(last_error().find("another model"), std::string::npos) << last_error();
    EXPECT_EQ(text_of(trainer), before) << "on failure it is as it was";
  };
  const dn_initializer zero = initializer(DN_INIT_CONSTANT, 0);
  expect_difference(
      [&](const ModelHandle& model) {
        add(model, {19}, zero, "W");
        add(model, {1}, zero, "unused");
      },
      {"#LookupParameter# /E {5,4}"});
  expect_difference(
      [&](const ModelHandle& model) {
        add(model, {19, 2}, zero, "W");
        add(model, {1}, zero, "unused");
        add_table(model, 4, {5}, zero, "E");
      },
      {"/W {19}", "/W {19,2}"});
  expect_difference(
      [&](const ModelHandle& model) {
        add(model, {19}, zero, "W");
        add(model, {1}, zero, "unused");
        add_table(model, 4, {5}, zero, "E");
        add(model, {3}, zero, "b");
      },
      {"does not have #Parameter# /b {3}"});
  expect_difference(
      [&](const ModelHandle& model) {
        add(model, {19}, zero, "W");
        add(model, {1}, zero, "unused");
        add(model, {5, 4}, zero, "E");
      },
      {"#LookupParameter# /E {5,4}", "#Parameter# /E {5,4}"});
}

TEST(TrainerFile, TheOrderOfParametersDoesNotMatter) {
  Training saved(kind_called("adam"));
  saved.update(1);
  const ModelHandle model = new_model();
  const dn_initializer zero = initializer(DN_INIT_CONSTANT, 0);
  add(model, {1}, zero, "unused");
  add_table(model, 4, {5}, zero, "E");
  add(model, {19}, zero, "W");
  const TrainerHandle trainer = kind_called("adam").make(model);
  EXPECT_OK(populate_from(trainer, text_of(saved.trainer)));
  // The same entries, in the order of the other model.
  const auto lines = [](const std::string& text) {
    std::istringstream stream(text);
    std::multiset<std::string> all;
    for (std::string line; std::getline(stream, line);) all.insert(line);
    return all;
  };
  EXPECT_EQ(lines(text_of(trainer)), lines(text_of(saved.trainer)));
  EXPECT_NE(text_of(trainer), text_of(saved.trainer));
}

TEST(TrainerFile, EveryDamageIsAnErrorThatChangesNothing) {
  Training saved(kind_called("adam_w"));
  ASSERT_OK(dn_trainer_use_cumulative_average(saved.trainer.get(), 1));
  saved.update(1);
  saved.update(2);
  const std::string text = text_of(saved.trainer);
  Training target(kind_called("adam_w"));
  target.update(5);
  const std::string before = text_of(target.trainer);
  for (size_t length = 0; length < text.size(); length += length < 400 ? 1 : 7)
    EXPECT_EQ(populate_from(target.trainer, std::string_view(text).substr(0, length)), DN_E_FORMAT) << length;
  const std::string_view without_last_end = std::string_view(text).substr(0, text.size() - 1);
  EXPECT_EQ(populate_from(target.trainer, without_last_end), DN_E_FORMAT);
  EXPECT_EQ(text_of(target.trainer), before);

  const auto expect_damage = [&](std::string_view from, std::string_view to,
                                 std::initializer_list<std::string_view> words) {
    std::string damaged = text;
    const size_t place = damaged.find(from);
    ASSERT_NE(place, std::string::npos) << from;
    damaged.replace(place, from.size(), to);
    expect_failure(populate_from(target.trainer, damaged), DN_E_FORMAT, words);
    EXPECT_EQ(text_of(target.trainer), before);
  };
  expect_damage("#Trainer# 1", "#Trainer# 2", {"line 1", "version 2"});
  expect_damage("#Trainer#", "#Parameter#", {"line 1", "expected #Trainer#"});
  expect_damage("adam_w", "nadam", {"\"nadam\"", "adam_w"});
  expect_damage("0.9 0.999", "0.9 1.5", {"line 1", "betas", "1.5"});
  expect_damage("0.9 0.999", "0.9 much", {"line 1", "\"much\"", "setting"});
  expect_damage("#State# 0.001", "#State# -1", {"line 2", "learning rate of -1"});
  expect_damage("#Average# 1", "#Average# 7", {"line 3", "kind 7"});
  expect_damage("#Trained# 3", "#Trained# 2", {"does not have #LookupParameter# /E {5,4}"});
  expect_damage("#Trained# 3", "#Trained# -3", {"line 4", "-3"});
  expect_damage("/unused {1} 0 2", "/W {1} 0 2", {"line 6", "appears twice"});
  expect_damage("/unused {1} 0 2", "/unused {1} 1 2", {"lacks /moment0/unused"});
  expect_damage("/unused {1} 0 2", "/unused {1} 0 0", {"belong to nothing"});
  expect_damage("/unused {1} 0 2", "/unused {1} 0 2 5", {"line 6", "\"5\"", "more than there should be"});
  expect_damage("/moment1/W {19}", "/moment1/W {18}", {"/moment1/W"});
  const size_t squares = text.find('\n', text.find("/moment1/W")) + 1;
  expect_damage(text.substr(squares, 6), "-" + text.substr(squares + 1, 5),
                {"element 0 of /moment1/W", "no sum of squares"});
  EXPECT_OK(populate_from(target.trainer, text));
}

TEST(TrainerFile, NotWhileTheValuesAreTheirAverages) {
  Training training(kind_called("adam"));
  ASSERT_OK(dn_trainer_use_cumulative_average(training.trainer.get(), 1));
  training.update(1);
  const std::string text = text_of(training.trainer);
  ASSERT_OK(dn_trainer_swap_to_average(training.trainer.get(), 1, 0));
  const dn_write_callback ignore = [](void*, const uint8_t*, int64_t) { return DN_OK; };
  expect_failure(dn_trainer_save_to(training.trainer.get(), ignore, nullptr), DN_E_STATE, {"averages"});
  expect_failure(populate_from(training.trainer, text), DN_E_STATE, {"averages"});
  ASSERT_OK(dn_trainer_swap_to_weights(training.trainer.get()));
  EXPECT_OK(populate_from(training.trainer, text));
}

}  // namespace
}  // namespace dynnet::test
