// DyNet's text format: what is written, what is read, and everything that can be wrong with it.
#include <gtest/gtest.h>

#include <clocale>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "dynnet/dynnet.h"
#include "text_file_support.h"

namespace dynnet::test {
namespace {

namespace fs = std::filesystem;

std::string one_parameter(const std::string& shape, const std::string& values) {
  return "#Parameter# /W " + shape + " " + std::to_string(values.size() + 1) + " ZERO_GRAD\n" + values + "\n";
}

void expect_bad(const std::string& text, std::initializer_list<std::string_view> words) {
  ModelHandle model;
  expect_failure(load_from(text, &model), DN_E_FORMAT, words);
}

TEST(TextFile, WritesWhatDyNetWrites) {
  const ModelHandle model = new_model();
  dn_parameter* w = add(model, {1.0f, -0.25f}, "W");
  const ModelHandle encoder = add_subcollection(model, "encoder");
  // Tables come after all parameters, whenever they were made.
  dn_lookup_parameter* e = add_table(encoder, 3, {2}, values_of({1, 2, 3, 4, 5, 6}), "E");
  add(encoder, {1, 2}, values_of({5, -0.0f}), "b");
  EXPECT_EQ(text_of(model),
            "#Parameter# /W {2} 33 ZERO_GRAD\n"
            "+1.00000000e+00 -2.50000000e-01 \n"
            "#Parameter# /encoder/b {1,2} 33 ZERO_GRAD\n"
            "+5.00000000e+00 -0.00000000e+00 \n"
            "#LookupParameter# /encoder/E {2,3} 97 ZERO_GRAD\n"
            "+1.00000000e+00 +2.00000000e+00 +3.00000000e+00 +4.00000000e+00 +5.00000000e+00 +6.00000000e+00 \n");
  add_gradient(w, {3, 4});
  add_row_gradient(e, 1, {7, 0});
  EXPECT_EQ(text_of(model, true), kText);
  EXPECT_EQ(text_of(encoder),
            "#Parameter# /encoder/b {1,2} 33 ZERO_GRAD\n"
            "+5.00000000e+00 -0.00000000e+00 \n"
            "#LookupParameter# /encoder/E {2,3} 97 ZERO_GRAD\n"
            "+1.00000000e+00 +2.00000000e+00 +3.00000000e+00 +4.00000000e+00 +5.00000000e+00 +6.00000000e+00 \n");
}

TEST(TextFile, AKeyReplacesThePath) {
  const ModelHandle model = new_model();
  const ModelHandle encoder = add_subcollection(model, "encoder");
  add(encoder, {1.0f}, "W");
  for (const char* key : {"/decoder", "/decoder/"}) {
    EXPECT_EQ(text_of(encoder, false, key), "#Parameter# /decoder/W {1} 17 ZERO_GRAD\n+1.00000000e+00 \n");
    EXPECT_EQ(text_of(model, false, key), "#Parameter# /decoder/encoder/W {1} 17 ZERO_GRAD\n+1.00000000e+00 \n");
  }
  EXPECT_EQ(text_of(encoder, false, "/"), "#Parameter# /W {1} 17 ZERO_GRAD\n+1.00000000e+00 \n");
}

TEST(TextFile, KeysAreChecked) {
  ModelHandle model;
  for (const char* bad : {"decoder", "/a b", " ", "/a\n"}) {
    expect_failure(load_from(kText, &model, bad), DN_E_ARGUMENT, {"key"});
  }
  EXPECT_EQ(dn_model_load_from(nullptr, 0, nullptr, 1, nullptr), DN_E_ARGUMENT);
}

TEST(TextFile, LoadsWhatItWrites) {
  ModelHandle model;
  ASSERT_OK(load_from(kText, &model));
  EXPECT_EQ(parameters_count(model), 2);
  EXPECT_EQ(name(parameter_at(model, 1)), "/encoder/b");
  EXPECT_EQ(values(parameter_at(model, 0)), (std::vector<float>{1, -0.25f}));
  EXPECT_EQ(gradient(parameter_at(model, 0)), (std::vector<float>{3, 4}));
  EXPECT_EQ(table_at(model, 0)->rows, 3);
  EXPECT_EQ(row_gradient(table_at(model, 0), 1), (std::vector<float>{7, 0}));
  EXPECT_EQ(text_of(model, true), kText);
}

TEST(TextFile, LoadedNamesAreInUse) {
  ModelHandle model;
  ASSERT_OK(load_from(kText, &model));
  const dn_initializer zero = initializer(DN_INIT_CONSTANT, 0);
  EXPECT_EQ(name(add(model, {1}, zero, "W")), "/W_1");
  EXPECT_EQ(name(add(add_subcollection(model, "encoder"), {1}, zero, "b")), "/encoder_1/b");
}

TEST(TextFile, LoadsPartOfATextAsARoot) {
  ModelHandle model;
  ASSERT_OK(load_from(kText, &model, "/encoder"));
  EXPECT_EQ(parameters_count(model), 1);
  EXPECT_EQ(name(parameter_at(model, 0)), "/b");
  EXPECT_EQ(name(table_at(model, 0)), "/E");
  ModelHandle none;
  expect_failure(load_from(kText, &none, "/enc"), DN_E_FORMAT, {"no parameters below /enc/"});
}

TEST(TextFile, EveryFiniteFloatSurvives) {
  std::mt19937 generator(1);
  std::vector<float> all{0.0f,
                         -0.0f,
                         std::numeric_limits<float>::max(),
                         std::numeric_limits<float>::lowest(),
                         std::numeric_limits<float>::min(),
                         std::numeric_limits<float>::denorm_min(),
                         1e-45f,
                         0.1f};
  while (all.size() < 20000) {
    const uint32_t bits = generator();
    float value;
    std::memcpy(&value, &bits, sizeof value);
    if (std::isfinite(value)) all.push_back(value);
  }
  const ModelHandle model = new_model();
  add(model, all, "W");
  const std::string text = text_of(model);
  char first[64];
  const char* at = std::strchr(text.c_str(), '\n') + 1;
  for (const float value : all) {
    std::snprintf(first, sizeof first, "%+.8e ", static_cast<double>(value));
    ASSERT_EQ(std::string(at, 16), first);
    at += 16;
  }
  ModelHandle loaded;
  ASSERT_OK(load_from(text, &loaded));
  const std::vector<float> read = values(parameter_at(loaded, 0));
  EXPECT_EQ(std::memcmp(read.data(), all.data(), all.size() * sizeof(float)), 0);
}

TEST(TextFile, AModelThatDivergedCanBeKept) {
  const ModelHandle model = new_model();
  add(model, {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(), NAN, 1.0f}, "W");
  ModelHandle loaded;
  ASSERT_OK(load_from(text_of(model), &loaded));
  const std::vector<float> read = values(parameter_at(loaded, 0));
  EXPECT_EQ(read[0], std::numeric_limits<float>::infinity());
  EXPECT_EQ(read[1], -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(read[2]));
  EXPECT_EQ(read[3], 1.0f);
  EXPECT_EQ(text_of(loaded), text_of(model));
}

TEST(TextFile, IsTheSameInEveryLocale) {
  const std::string old = std::setlocale(LC_ALL, nullptr);
  bool has_comma = false;
  for (const char* name : {"de_DE.UTF-8", "fr_FR.UTF-8", "ru_RU.UTF-8", "pt_BR.UTF-8"})
    has_comma = has_comma || std::setlocale(LC_ALL, name) != nullptr;
  if (!has_comma) GTEST_SKIP() << "no locale with a decimal comma on this machine";
  ModelHandle model;
  EXPECT_OK(load_from(kText, &model));
  EXPECT_EQ(text_of(model, true), kText);
  std::setlocale(LC_ALL, old.c_str());
}

TEST(TextFile, ReadsWhatOthersMayWrite) {
  const auto read = [](const std::string& text) {
    ModelHandle model;
    EXPECT_OK(load_from(text, &model));
    return model == nullptr ? std::vector<float>{} : values(parameter_at(model, 0));
  };
  EXPECT_EQ(read(one_parameter("{3}", "1 2.5 -3e-1")), (std::vector<float>{1, 2.5f, -0.3f}));
  EXPECT_EQ(read(one_parameter("{1,2}", "1\t  2 ")), (std::vector<float>{1, 2}));
  EXPECT_EQ(read(one_parameter("{}", "1 ")), (std::vector<float>{1}));
  EXPECT_EQ(read(one_parameter("{1}", "1 ") + "\n\n"), (std::vector<float>{1}));
  // Too small for a float.
  EXPECT_EQ(read(one_parameter("{2}", "1e-60 -1e-300 ")), (std::vector<float>{0, 0}));
  // Ends of lines from Windows, not counted.
  EXPECT_EQ(read("#Parameter# /W {1} 17 ZERO_GRAD\r\n+1.00000000e+00 \r\n"), (std::vector<float>{1}));
  // Before DyNet 2.0.2 headers did not say that a gradient follows.
  EXPECT_EQ(read("#Parameter# /W {1} 34\n+1.00000000e+00 \n+2.00000000e+00 \n"), (std::vector<float>{1}));
  // TextFileSaver::save(parameter, "W") writes the key as it is.
  EXPECT_EQ(read("#Parameter# W {1} 17 ZERO_GRAD\n+1.00000000e+00 \n"), (std::vector<float>{1}));
}

TEST(TextFile, SaysWhatIsWrongAndWhere) {
  expect_bad("", {"no parameters"});
  expect_bad("\n \n", {"no parameters"});
  expect_bad("hello world\n", {"line 1", "expected #Parameter#", "\"hello\""});
  expect_bad("\x01\xff\xfe\n", {"line 1", "\"???\""});
  expect_bad("PK\x03\x04" + std::string(1000, 'x') + "\n", {"...\""});
  expect_bad(kText + "#Parameter# /V {2} 33 ZERO_GRAD\n+1.00000000e+00 x2.50000000e-0 \n",
             {"line 10", "/V", "\"x2.50000000e-0\"", "number 2"});
  expect_bad("#Parameter#\n", {"line 1", "name"});
  expect_bad("#Parameter# /a/ {2} 33 ZERO_GRAD\n", {"\"/a/\" is no parameter's name"});
  expect_bad("#Parameter# /W {2} 33 SOME_GRAD\n", {"/W", "SOME_GRAD"});
  expect_bad("#Parameter# /W {2} 33 ZERO_GRAD more\n", {"/W", "more in the header"});
  expect_bad("#Parameter# /W {2} 33 ZERO_GRAD", {"/W", "ends with the header"});
  expect_bad(kText + kText, {"line 9", "/W appears twice"});
  expect_bad("#LookupParameter# /W {2,1} 33 ZERO_GRAD\n+1.00000000e+00 +1.00000000e+00 \n" + kText,
             {"line 3", "/W appears twice"});
}

TEST(TextFile, ChecksShapes) {
  for (const char* bad : {"8,2", "{8,2", "{", "{a}", "{0}", "{-1}", "{8,}", "{,8}", "{8;2}", "{2X3}", "{8.5}",
                          "{4294967296}", "{99999999999999999999}"})
    expect_bad("#Parameter# /W " + std::string(bad) + " 33 ZERO_GRAD\n1 2\n", {"line 1", "/W", bad, "no shape"});
  expect_bad("#Parameter# /W {1,1,1,1,1,1,1,1} 33 ZERO_GRAD\n1 2\n", {"more than 7 dimensions"});
  expect_bad("#Parameter# /W {4294967295,4294967295,4294967295} 33 ZERO_GRAD\n1 2\n", {"more than 2^40 elements"});
  expect_bad("#LookupParameter# /E {} 3 ZERO_GRAD\n1\n", {"/E", "rows"});
  expect_bad("#LookupParameter# /E {4294967295} 3 ZERO_GRAD\n1\n", {"/E", "too many rows"});
}

TEST(TextFile, ASizeThatIsALieTakesNoMemory) {
  const int64_t before = memory_used();
  expect_bad("#Parameter# /W {1000000,1000000} 33 ZERO_GRAD\n+1.00000000e+00 +1.00000000e+00 \n",
             {"line 2", "/W {1000000,1000000}", "1000000000000 values expected", "32 bytes"});
  EXPECT_EQ(memory_used(), before);
}

TEST(TextFile, ChecksCountsOfValuesAndBytes) {
  expect_bad(one_parameter("{3}", "+1.00000000e+00 +1.00000000e+00 "), {"line 2", "/W", "3 values expected, 2 found"});
  expect_bad(one_parameter("{1}", "1 2 "), {"line 2", "more than the 1 values"});
  expect_bad("#Parameter# /W {1} 18 ZERO_GRAD\n+1.00000000e+00 \n", {"/W", "18 bytes", "17 do"});
  for (const char* bad : {"-17", "x", "17.5", "99999999999999999999999"})
    expect_bad("#Parameter# /W {1} " + std::string(bad) + " ZERO_GRAD\n+1.00000000e+00 \n", {"/W", bad, "bytes"});
  expect_bad("#Parameter# /W {2} 20 FULL_GRAD\n+1.00000000e+00 1\n1\n", {"line 3", "2 gradients expected"});
  expect_bad("#Parameter# /W {1} 34 FULL_GRAD\n+1.00000000e+00 \n", {"/W", "ends 17 bytes into the 34"});
}

TEST(TextFile, ChecksNumbers) {
  for (const char* bad : {"1e99", "-1e400", "0x10", "1,5", "--1", "+-1", "++1", "1e", "e5", "+", "-", "1f", "nano"})
    expect_bad(one_parameter("{1}", std::string(bad) + " "), {"line 2", "/W", bad, "no float"});
}

TEST(TextFile, TruncatedAnywhereIsAnErrorOrWholeParameters) {
  ModelHandle whole;
  ASSERT_OK(load_from(kText, &whole));
  for (size_t length = 0; length < kText.size(); ++length) {
    const std::string text = kText.substr(0, length);
    ModelHandle model;
    const dn_status status = load_from(text, &model);
    if (status == DN_OK) {
      const int64_t count = parameters_count(model);
      EXPECT_EQ(kText.substr(length, 1), "#") << "loaded from the first " << length << " bytes";
      for (int64_t i = 0; i < count; ++i) EXPECT_EQ(values(parameter_at(model, i)), values(parameter_at(whole, i)));
    } else {
      EXPECT_EQ(status, DN_E_FORMAT) << length << ": " << last_error();
    }
    EXPECT_EQ(populate_from(whole, text), DN_E_FORMAT) << length;
  }
  EXPECT_EQ(text_of(whole, true), kText);
}

TEST(TextFile, AChangedByteNeverCrashes) {
  std::mt19937 generator(1);
  ModelHandle target;
  ASSERT_OK(load_from(kText, &target));
  for (int i = 0; i < 20000; ++i) {
    std::string text = kText;
    const int changes = 1 + static_cast<int>(generator() % 3);
    for (int j = 0; j < changes; ++j) {
      const size_t at = generator() % text.size();
      switch (generator() % 4) {
        case 0:
          text[at] = static_cast<char>(generator());
          break;
        case 1:
          text.erase(at, 1 + generator() % 20);
          break;
        case 2:
          text.insert(at, 1, "0123456789{},#\n\r +-eEnX"[generator() % 23]);
          break;
        default:
          text.insert(at, text.substr(generator() % text.size(), generator() % 40));
      }
      if (text.empty()) break;
    }
    ModelHandle model;
    const dn_status loaded = load_from(text, &model);
    EXPECT_TRUE(loaded == DN_OK || loaded == DN_E_FORMAT) << last_error() << "\n" << text;
    const dn_status populated = populate_from(target, text);
    EXPECT_TRUE(populated == DN_OK || populated == DN_E_FORMAT) << last_error() << "\n" << text;
  }
}

TEST(Populate, ReadsValuesAndGradientsByName) {
  const ModelHandle model = new_model();
  const ModelHandle encoder = add_subcollection(model, "encoder");
  const dn_initializer zero = initializer(DN_INIT_CONSTANT, 0);
  dn_lookup_parameter* e = add_table(encoder, 3, {2}, zero, "E");
  dn_parameter* b = add(encoder, {1, 2}, zero, "b");
  dn_parameter* w = add(model, {2, 1}, zero, "W");  // {2, 1} and {2} are one shape
  add_gradient(b, {9, 9});
  add_row_gradient(e, 2, {9, 9});
  const float* place = w->values.data();
  const uint64_t version = w->version;
  ASSERT_OK(populate_from(model, kText));
  EXPECT_EQ(values(w), (std::vector<float>{1, -0.25f}));
  EXPECT_EQ(w->values.data(), place) << "values are borrowed for the parameter's life";
  EXPECT_GT(w->version, version);
  EXPECT_EQ(values(b), (std::vector<float>{5, 0}));
  EXPECT_EQ(values(e), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(gradient(w), (std::vector<float>{3, 4}));
  EXPECT_EQ(gradient(b), (std::vector<float>{0, 0}));
  EXPECT_EQ(row_gradient(e, 1), (std::vector<float>{7, 0}));
  EXPECT_EQ(row_gradient(e, 2), (std::vector<float>{0, 0}));
}

TEST(Populate, ReadsASubcollection) {
  const ModelHandle model = new_model();
  const ModelHandle encoder = add_subcollection(model, "encoder");
  dn_parameter* b = add(encoder, {2}, initializer(DN_INIT_CONSTANT, 0), "b");
  expect_failure(populate_from(encoder, kText), DN_E_FORMAT, {"/encoder/b is {1,2}", "/encoder/b is {2}"});
  const std::string text = "#Parameter# /other/b {2} 4 ZERO_GRAD\n1 2\n#Parameter# /x {1} 2 ZERO_GRAD\nunread\n";
  expect_failure(populate_from(encoder, text, "/other"), DN_E_FORMAT, {"line 4"});
  const std::string good = "#Parameter# /other/b {2} 4 ZERO_GRAD\n1 2\n#Parameter# /x {1} 7 ZERO_GRAD\nunread\n";
  ASSERT_OK(populate_from(encoder, good, "/other"));
  EXPECT_EQ(values(b), (std::vector<float>{1, 2}));
  ASSERT_OK(populate_from(model, "#Parameter# /saved/encoder/b {2} 4 ZERO_GRAD\n3 4\n", "/saved/"));
  EXPECT_EQ(values(b), (std::vector<float>{3, 4}));
}

TEST(Populate, NamesWhatDoesNotFitAndChangesNothing) {
  const dn_initializer zero = initializer(DN_INIT_CONSTANT, 0);
  const ModelHandle model = new_model();
  dn_parameter* w = add(model, {2}, zero, "W");
  dn_parameter* missing = add(model, {2}, zero, "missing");
  add_gradient(w, {8, 8});
  const uint64_t version = w->version;
  expect_failure(populate_from(model, kText), DN_E_FORMAT, {"no parameter /missing", "the first of its 3 is /W"});
  expect_failure(populate_from(model, kText, "/nothing"), DN_E_FORMAT, {"/nothing/W", "nothing in it lies below"});
  EXPECT_EQ(values(w), (std::vector<float>{0, 0}));
  EXPECT_EQ(gradient(w), (std::vector<float>{8, 8}));
  EXPECT_EQ(w->version, version);
  EXPECT_EQ(values(missing), (std::vector<float>{0, 0}));

  const ModelHandle shaped = new_model();
  add(shaped, {3}, zero, "W");
  expect_failure(populate_from(shaped, kText), DN_E_FORMAT, {"line 1", "/W is {2}", "/W is {3}"});
  const ModelHandle kinds = new_model();
  add_table(kinds, 2, {1}, zero, "W");
  expect_failure(populate_from(kinds, kText), DN_E_FORMAT, {"line 1", "/W is no lookup parameter"});
  const ModelHandle tables = new_model();
  const ModelHandle encoder = add_subcollection(tables, "encoder");
  add_table(encoder, 4, {2}, zero, "E");
  expect_failure(populate_from(tables, kText), DN_E_FORMAT, {"line 6", "3 rows of {2}", "4 of {2}"});
}

TEST(Populate, WaitsForNoOtherWriter) {
  ModelHandle model;
  ASSERT_OK(load_from(kText, &model));
  GradientSet& gradients = parameter_at(model, 0)->storage->gradients();
  ASSERT_TRUE(gradients.try_lock());
  expect_failure(populate_from(model, kText), DN_E_BUSY, {"populate"});
  gradients.unlock();
  EXPECT_OK(populate_from(model, kText));
}

TEST(Populate, WithoutMemoryChangesNothing) {
  const LimitRestorer restore;
  ModelHandle model;
  ASSERT_OK(load_from(kText, &model));
  set_memory_limit(memory_used() + 8);
  EXPECT_EQ(populate_from(model, kText), DN_E_MEMORY);
  EXPECT_EQ(text_of(model, true), kText);
}

// Files that DyNet wrote lie beside the repository, not in it.
class DynetFiles : public testing::TestWithParam<const char*> {
 protected:
  static fs::path folder() { return fs::path(__FILE__).parent_path() / "../../../shared/data/dynet-models"; }
};

TEST_P(DynetFiles, ComeOutByteForByte) {
  const fs::path file = folder() / (std::string(GetParam()) + ".model");
  if (!fs::exists(file)) GTEST_SKIP() << "no files written by DyNet: " << file << " is not there";
  const std::string text = content_of(file);
  ModelHandle model;
  ASSERT_OK(load_from(text, &model));
  EXPECT_EQ(text_of(model, true), text);
  const ModelHandle copy = std::move(model);
  ASSERT_OK(populate_from(copy, text));
  EXPECT_EQ(text_of(copy, true), text);
  for (size_t length = 0; length < text.size(); length += 7) {
    ModelHandle part;
    const dn_status status = load_from(text.substr(0, length), &part);
    EXPECT_TRUE(status == DN_E_FORMAT || (status == DN_OK && text[length] == '#')) << length << last_error();
  }
}

INSTANTIATE_TEST_SUITE_P(All, DynetFiles, testing::Values("xor", "lstm", "gru_with_gradients"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace dynnet::test
