// Linear algebra, contractions, circular convolution.
#include <algorithm>

#include "ops/rows.h"

namespace dynnet::test {
namespace {

using D = Domain;

bool matrix_pair(Draw& d, World& world, Example& e) { return e.x[0].is_matrix() && draws::pair(d, world, e); }

// A vector gives its size.
bool square(Draw& d, World&, Example& e) {
  Shape& x = e.x[0];
  if (x.is_vector()) x.d[1] = x.d[0];
  return x.is_matrix() && x.d[0] == x.d[1] && draws::is_small(d, e);
}

// A tensor, a vector for its last dimension and, of two, one for the second; the shape that is given is the tensor or
// the first vector.
bool contraction(Draw& d, Example& e, bool two, bool bias) {
  Shape x = e.x[0];
  if (x.size() != x.d[0] * x.d[1] * x.d[2]) return false;
  const int64_t batch = x.batch == 1 && d.chance(0.3) ? d.batch() : x.batch;
  if (x.is_vector() && d.chance(0.9)) x = Shape({d.size(), d.size(), x.d[0]}, batch);
  auto with_batch = [&](Shape shape, double one) {
    shape.batch = d.chance(one) ? 1 : batch;
    return shape;
  };
  e.x = {with_batch(x, 0.7), with_batch(Shape({x.d[2]}), 0.3)};
  if (two) e.x.push_back(with_batch(Shape({x.d[1]}), 0.3));
  if (bias) e.x.push_back(with_batch(two ? Shape({x.d[0]}) : Shape({x.d[0], x.d[1]}), 0.8));
  return draws::is_small(d, e);
}

template <bool two, bool bias>
bool contraction(Draw& d, World&, Example& e) {
  return contraction(d, e, two, bias);
}

const std::vector<Bad> kNoSquare = {{{{2, 3}}, {}, DN_E_SHAPE, "square matrix, got {2,3}"},
                                    {{{2}}, {}, DN_E_SHAPE, "{2}"},
                                    {{{2, 2, 2}}, {}, DN_E_SHAPE, "{2,2,2}"}};

const std::vector<Bad> kNoVectors = {{{{2}, {3}}, {}, DN_E_SHAPE, "{2} and {3}"},
                                     {{{2, 2}, {2, 2}}, {}, DN_E_SHAPE, "{2,2} and {2,2}"},
                                     {{Shape({2}, 2), Shape({2}, 3)}, {}, DN_E_SHAPE, "2 and 3"}};

// What no contraction takes, as its first operands, and the others that fit them.
std::vector<Bad> bad_contraction(const std::vector<Shape>& others) {
  std::vector<Bad> bad = {{{{2, 3, 4, 2}, {4}}, {}, DN_E_SHAPE, "three dimensions, got {2,3,4,2}"},
                          {{{2, 3, 4}, {3}}, {}, DN_E_SHAPE, "dimension 2 of {2,3,4} has size 4"},
                          {{{2, 3, 4}, {4, 4}}, {}, DN_E_SHAPE, "{4,4}"},
                          {{Shape({2, 3, 4}, 2), Shape({4}, 3)}, {}, DN_E_SHAPE, "2 and 3"}};
  for (Bad& each : bad) each.x.insert(each.x.end(), others.begin(), others.end());
  return bad;
}

}  // namespace

std::vector<OpRow> matrix_rows() {
  return {
      {.name = "trace_of_product",
       .draw = matrix_pair,
       .record = RECORD_BINARY(trace_of_product),
       .bad = bad_pair() + std::vector<Bad>{{{{2, 2, 2}, {2, 2, 2}}, {}, DN_E_SHAPE, "matrices, got {2,2,2}"}}},
      {.name = "inverse", .draw = square, .record = RECORD_UNARY(inverse), .bad = kNoSquare, .domains = {D::kDominant}},
      {.name = "logdet", .draw = square, .record = RECORD_UNARY(logdet), .bad = kNoSquare, .domains = {D::kDominant}},
      {.name = "contract3d_1d",
       .draw = contraction<false, false>,
       .record = RECORD_BINARY(contract3d_1d),
       .bad = bad_contraction({}),
       .weights = 0b1},
      {.name = "contract3d_1d_bias",
       .draw = contraction<false, true>,
       .record = RECORD(dn_op_contract3d_1d_bias(r.graph, r.x[0], r.x[1], r.x[2], r.out)),
       .bad = bad_contraction({{2, 3}}) + std::vector<Bad>{{{{2, 3, 4}, {4}, {2}}, {}, DN_E_SHAPE, "bias {2}"}},
       .weights = 0b101},
      {.name = "contract3d_1d_1d",
       .draw = contraction<true, false>,
       .record = RECORD(dn_op_contract3d_1d_1d(r.graph, r.x[0], r.x[1], r.x[2], r.out)),
       .bad = bad_contraction({{3}}) +
              std::vector<Bad>{{{{2, 3, 4}, {4}, {2}}, {}, DN_E_SHAPE, "dimension 1 of {2,3,4} has size 3"}},
       .weights = 0b1},
      {.name = "contract3d_1d_1d_bias",
       .draw = contraction<true, true>,
       .record = RECORD(dn_op_contract3d_1d_1d_bias(r.graph, r.x[0], r.x[1], r.x[2], r.x[3], r.out)),
       .bad = bad_contraction({{3}, {2}}) + std::vector<Bad>{{{{2, 3, 4}, {4}, {3}, {3}}, {}, DN_E_SHAPE, "bias {3}"}},
       .weights = 0b1001},
      {.name = "circ_conv", .draw = draws::vector_pair, .record = RECORD_BINARY(circ_conv), .bad = kNoVectors},
      {.name = "circ_corr", .draw = draws::vector_pair, .record = RECORD_BINARY(circ_corr), .bad = kNoVectors},
  };
}

}  // namespace dynnet::test
