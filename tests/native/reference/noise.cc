// Dropouts and noise, given what the engine drew.
#include "reference/rules.h"

namespace dynnet::reference {
namespace {

template <bool whole>
Shape dropout_shape(const Signature& s) {
  const double rate = s.attributes.scalar;
  require(rate >= 0 && (whole ? rate <= 1 : rate < 1), s, "no such rate");
  return s.x.at(0);
}

Shape dropout_dim_shape(const Signature& s) {
  require(s.attributes.dim >= 0 && s.attributes.dim < DN_MAX_DIMS, s, "no such dimension");
  return dropout_shape<false>(s);
}

// Each element times the draw for the first of those elements that are dropped together.
template <class First>
void dropout_terms(const Context& x, const Term& term, First first) {
  each_element(x.shape, [&](const Coordinates& c, int64_t i) {
    Coordinates of = c;
    first(of);
    term(i, x.attributes.mask.at(static_cast<size_t>(place(x.shape, of))), {0, i}, kOne);
  });
}

void dropout_dim_terms(const Context& x, const Term& term) {
  dropout_terms(x, term, [&](Coordinates& c) { c[static_cast<size_t>(x.attributes.dim)] = 0; });
}

void dropout_batch_terms(const Context& x, const Term& term) {
  dropout_terms(x, term, [](Coordinates& c) { std::fill(c.begin(), c.begin() + DN_MAX_DIMS, 0); });
}

void noise_terms(const Context& x, const Term& term) {
  for (int64_t i = 0; i < x.shape.total(); ++i) {
    term(i, 1, {0, i}, kOne);
    term(i, x.attributes.mask.at(static_cast<size_t>(i)), kOne, kOne);
  }
}

Shape noise_shape(const Signature& s) {
  require(s.attributes.scalar >= 0, s, "a negative deviation");
  return s.x.at(0);
}

}  // namespace

const std::vector<Rule> kNoise = {
    {.name = "dropout",
     .shape = dropout_shape<false>,
     .terms = [](const Context& x, const Term& term) { dropout_terms(x, term, [](Coordinates&) {}); }},
    {.name = "dropout_dim", .shape = dropout_dim_shape, .terms = dropout_dim_terms},
    {.name = "dropout_batch", .shape = dropout_shape<false>, .terms = dropout_batch_terms},
    {.name = "block_dropout",
     .shape = dropout_shape<true>,
     .terms = [](const Context& x, const Term& term) { dropout_terms(x, term, [](Coordinates& c) { c = {}; }); }},
    {.name = "noise", .shape = noise_shape, .terms = noise_terms},
};

}  // namespace dynnet::reference
