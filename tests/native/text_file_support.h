// What tests of model texts and tests of model files share.
#ifndef DYNNET_TESTS_TEXT_FILE_SUPPORT_H_
#define DYNNET_TESTS_TEXT_FILE_SUPPORT_H_

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "model_support.h"

namespace dynnet::test {

// {2} and a table of 3 rows of {2}, with gradients.
inline const std::string kText =
    "#Parameter# /W {2} 66 FULL_GRAD\n"
    "+1.00000000e+00 -2.50000000e-01 \n"
    "+3.00000000e+00 +4.00000000e+00 \n"
    "#Parameter# /encoder/b {1,2} 33 ZERO_GRAD\n"
    "+5.00000000e+00 -0.00000000e+00 \n"
    "#LookupParameter# /encoder/E {2,3} 194 FULL_GRAD\n"
    "+1.00000000e+00 +2.00000000e+00 +3.00000000e+00 +4.00000000e+00 +5.00000000e+00 +6.00000000e+00 \n"
    "+0.00000000e+00 +0.00000000e+00 +7.00000000e+00 +0.00000000e+00 +0.00000000e+00 +0.00000000e+00 \n";

inline std::string content_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

}  // namespace dynnet::test

#endif  // DYNNET_TESTS_TEXT_FILE_SUPPORT_H_
