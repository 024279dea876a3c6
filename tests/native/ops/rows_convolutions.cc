// Convolutions and pooling.
#include <algorithm>

#include "ops/rows.h"

namespace dynnet::test {
namespace {

using D = Domain;

bool is_map(const Shape& x) { return x.size() == x.d[0] * x.d[1] * x.d[2]; }

// Mostly without a batch, else with one that goes with that of x.
int64_t weight_batch(Draw& d, const Shape& x) { return d.chance(0.85) ? 1 : d.other_batch(x).batch; }

// A size that something that slides over x in this dimension may have.
int64_t sliding_size(Draw& d, const Example& e, size_t dim) {
  const int64_t most = e.a.flag ? e.x[0].d[dim] : 5;
  return d.between(1, std::min<int64_t>(most, d.chance(0.8) ? 3 : 5));
}

int32_t stride(Draw& d) { return static_cast<int32_t>(d.chance(0.5) ? 1 : d.between(2, 4)); }

bool conv2d(Draw& d, World&, Example& e) {
  static const std::vector<int64_t> kFilters{1, 2, 3, 5, 9};
  const Shape x = e.x[0];
  if (!is_map(x)) return false;
  e.a.flag = d.chance(0.5);
  e.a.indices = {stride(d), stride(d)};
  const int64_t height = sliding_size(d, e, 0);
  const int64_t width = sliding_size(d, e, 1);
  e.x.push_back(Shape({height, width, x.d[2], d.of(kFilters)}, weight_batch(d, x)));
  // The interpreter takes its time.
  return draws::is_small(d, e) && x.total() * height * width * e.x[1].d[3] <= 20 * d.most_elements;
}

bool conv2d_bias(Draw& d, World& world, Example& e) {
  if (!conv2d(d, world, e)) return false;
  e.x.push_back(Shape({e.x[1].d[3]}, weight_batch(d, e.x[0].batch > 1 ? e.x[0] : e.x[1])));
  return true;
}

bool maxpooling2d(Draw& d, World&, Example& e) {
  if (!is_map(e.x[0])) return false;
  e.a.flag = d.chance(0.5);
  const auto height = static_cast<int32_t>(sliding_size(d, e, 0));
  const auto width = static_cast<int32_t>(sliding_size(d, e, 1));
  e.a.indices = {height, width, stride(d), stride(d)};
  return true;
}

bool filter1d_narrow(Draw& d, World&, Example& e) {
  static const std::vector<int64_t> kFilters{1, 1, 3, 8, 17};
  const Shape x = e.x[0];
  if (!x.is_matrix()) return false;
  e.x.push_back(Shape({x.d[0], d.between(1, std::min<int64_t>(x.d[1], 4)), d.of(kFilters)}, weight_batch(d, x)));
  return draws::is_small(d, e);
}

bool kmax_pooling(Draw& d, World&, Example& e) {
  e.a.dim = static_cast<int32_t>(d.chance(0.9) ? d.below(2) : d.below(DN_MAX_DIMS));
  e.a.count = static_cast<int32_t>(d.between(1, std::min<int64_t>(e.x[0].d[static_cast<size_t>(e.a.dim)], 20)));
  return true;
}

bool kmh_ngram(Draw& d, World&, Example& e) {
  e.a.count = static_cast<int32_t>(d.between(1, std::min<int64_t>(e.x[0].d[1], d.chance(0.8) ? 4 : 100)));
  return e.x[0].is_matrix();
}

bool fold_rows(Draw& d, World&, Example& e) {
  std::vector<int32_t> divisors;
  for (int32_t i = 1; i <= e.x[0].d[0]; ++i)
    if (e.x[0].d[0] % i == 0) divisors.push_back(i);
  e.a.count = d.of(divisors);
  return e.x[0].is_matrix();
}

// The first half of the numbers are the sizes of the window, the others the strides.
dn_status record_maxpooling2d(const Recording& r) {
  const int32_t sizes = r.indices() / 2;
  return dn_op_maxpooling2d(r.graph, r.x[0], r.a.indices.data(), sizes, r.a.indices.data() + sizes, r.indices() - sizes,
                            r.a.flag, r.out);
}

const std::vector<Bad> kBadConvolution = {
    {{{4, 4}, {2, 2}}, {.indices = {1, 0}}, DN_E_ARGUMENT, "a stride of 0"},
    {{{4, 4}, {2, 2}}, {.indices = {-1, 1}}, DN_E_ARGUMENT, "a stride of -1"},
    {{{4, 4}, {2, 2}}, {.indices = {1}}, DN_E_ARGUMENT, "1 strides, expected 2"},
    {{{4, 4}, {2, 2}}, {}, DN_E_ARGUMENT, "0 strides, expected 2"},
    {{{4, 4}, {2, 2}}, {.indices = {1, 1, 1, 1, 1, 1, 1, 1}}, DN_E_ARGUMENT, "a list of 8 numbers"},
    {{{4, 4, 2}, {2, 2, 3, 5}},
     {.indices = {1, 1}},
     DN_E_SHAPE,
     "{2,2,3,5} are for 3 channels, the feature map {4,4,2}"},
    {{{4, 3}, {5, 2}},
     {.indices = {1, 1}, .flag = true},
     DN_E_SHAPE,
     "5 in dimension 0 is more than there are of {4,3}"},
    {{{4, 3}, {2, 4}},
     {.indices = {1, 1}, .flag = true},
     DN_E_SHAPE,
     "4 in dimension 1 is more than there are of {4,3}"},
    {{{4, 4, 2, 2}, {2, 2, 2, 5}}, {.indices = {1, 1}}, DN_E_SHAPE, "{4,4,2,2} has more than three dimensions"},
    {{{4, 4, 2}, {2, 2, 2, 5, 2}}, {.indices = {1, 1}}, DN_E_SHAPE, "{2,2,2,5,2} have more than four dimensions"},
    {{Shape({4, 4}, 2), Shape({2, 2}, 3)}, {.indices = {1, 1}}, DN_E_SHAPE, "2 and 3"},
};

// With a bias that fits.
std::vector<Bad> with_bias(std::vector<Bad> bad) {
  for (Bad& each : bad) each.x.push_back(Shape({each.x[1].d[3]}));
  return bad;
}

}  // namespace

std::vector<OpRow> convolution_rows() {
  return {
      {.name = "conv2d",
       .draw = conv2d,
       .record = RECORD(dn_op_conv2d(r.graph, r.x[0], r.x[1], r.a.indices.data(), r.indices(), r.a.flag, r.out)),
       .bad = kBadConvolution,
       .weights = 0b10},
      {.name = "conv2d_bias",
       .draw = conv2d_bias,
       .record =
           RECORD(dn_op_conv2d_bias(r.graph, r.x[0], r.x[1], r.x[2], r.a.indices.data(), r.indices(), r.a.flag, r.out)),
       .bad = with_bias(kBadConvolution) +
              std::vector<Bad>{{{{4, 4}, {2, 2, 1, 5}, {4}},
                                {.indices = {1, 1}},
                                DN_E_SHAPE,
                                "a bias {5} for the filters {2,2,1,5}, got {4}"},
                               {{{4, 4}, {2, 2, 1, 5}, {5, 2}}, {.indices = {1, 1}}, DN_E_SHAPE, "got {5,2}"},
                               {{Shape({4, 4}, 2), {2, 2}, Shape({1}, 3)}, {.indices = {1, 1}}, DN_E_SHAPE, "2 and 3"}},
       .weights = 0b110},
      {.name = "maxpooling2d",
       .draw = maxpooling2d,
       .record = record_maxpooling2d,
       .bad = {{{{4, 4}}, {.indices = {2, 2, 1, 0}}, DN_E_ARGUMENT, "a stride of 0"},
               {{{4, 4}}, {.indices = {0, 2, 1, 1}}, DN_E_ARGUMENT, "a size of 0"},
               {{{4, 4}}, {.indices = {2, 1, 1}}, DN_E_ARGUMENT, "1 sizes of the window, expected 2"},
               {{{4, 4}}, {.indices = {2, 2, 1, 1, 1}}, DN_E_ARGUMENT, "3 strides, expected 2"},
               {{{4, 3}}, {.indices = {5, 2, 1, 1}, .flag = true}, DN_E_SHAPE, "5 in dimension 0 is more"},
               {{{4, 3}}, {.indices = {2, 4, 1, 1}, .flag = true}, DN_E_SHAPE, "there are of {4,3}"},
               {{{4, 4, 2, 2}}, {.indices = {2, 2, 1, 1}}, DN_E_SHAPE, "{4,4,2,2} has more than three dimensions"}},
       .domains = {D::kDistinct}},
      {.name = "filter1d_narrow",
       .draw = filter1d_narrow,
       .record = RECORD_BINARY(filter1d_narrow),
       .bad = {{{{3, 4}, {2, 2}}, {}, DN_E_SHAPE, "filters {2,2} do not fit {3,4}: expected 3 rows"},
               {{{3, 4}, {3, 5}}, {}, DN_E_SHAPE, "at most 4 columns"},
               {{{3, 4, 2}, {3, 2}}, {}, DN_E_SHAPE, "{3,4,2}"},
               {{{3, 4}, {3, 2, 2, 2}}, {}, DN_E_SHAPE, "{3,2,2,2} have more than three dimensions"},
               {{Shape({3, 4}, 2), Shape({3, 2}, 3)}, {}, DN_E_SHAPE, "2 and 3"}},
       .weights = 0b10},
      {.name = "kmax_pooling",
       .draw = kmax_pooling,
       .record = RECORD(dn_op_kmax_pooling(r.graph, r.x[0], r.a.count, r.a.dim, r.out)),
       .bad = {{{{3, 4}}, {.dim = 1, .count = 5}, DN_E_SHAPE, "the 5 largest of dimension 1 of {3,4}, which has 4"},
               {{{3, 4}}, {.dim = 0, .count = 0}, DN_E_ARGUMENT, "the 0 largest"},
               {{{3, 4}}, {.dim = 7, .count = 1}, DN_E_ARGUMENT, "dimension 7"},
               {{{3, 4}}, {.dim = -1, .count = 1}, DN_E_ARGUMENT, "dimension -1"}},
       .domains = {D::kDistinct}},
      {.name = "kmh_ngram",
       .draw = kmh_ngram,
       .record = RECORD(dn_op_kmh_ngram(r.graph, r.x[0], r.a.count, r.out)),
       .bad = no_matrix() + std::vector<Bad>{{{{3, 4}}, {.count = 5}, DN_E_SHAPE, "sums of 5 columns of {3,4}"},
                                             {{{3, 4}}, {.count = 0}, DN_E_ARGUMENT, "sums of 0 columns"}}},
      {.name = "fold_rows",
       .draw = fold_rows,
       .record = RECORD(dn_op_fold_rows(r.graph, r.x[0], r.a.count, r.out)),
       .bad = no_matrix() +
              std::vector<Bad>{{{{3, 4}}, {.count = 2}, DN_E_SHAPE, "the rows of {3,4} are no multiple of 2"},
                               {{{3, 4}}, {.count = 0}, DN_E_ARGUMENT, "sums of 0 rows"}}},
  };
}

}  // namespace dynnet::test
