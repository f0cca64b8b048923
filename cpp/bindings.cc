// The Python face of the kernel. It trusts its arguments: gatewise.kernels is the only caller and
// checks shapes. Every array is taken as it is (.noconvert(), or nanobind would quietly fill a
// copy), and the interpreter lock is released while the kernel works.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>

#include "kernels.h"
#include "threads.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using gatewise::Shape;
using In = nb::ndarray<const float, nb::c_contig, nb::device::cpu>;
using Out = nb::ndarray<float, nb::c_contig, nb::device::cpu>;
using Offsets = nb::ndarray<const int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Ids = nb::ndarray<int32_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Totals = nb::ndarray<double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using MaybeIn = std::optional<In>;
using MaybePlaces = std::optional<Offsets>;
using MaybeOut = std::optional<Out>;

const float* data(const MaybeIn& array) { return array ? array->data() : nullptr; }
float* data(const MaybeOut& array) { return array ? array->data() : nullptr; }

int64_t rows(const In& array) { return static_cast<int64_t>(array.shape(0)); }
int64_t columns(const In& array) { return static_cast<int64_t>(array.shape(1)); }

Shape shape_of(int cell, const std::vector<In>& weight_ih, const std::vector<In>& weight_hh) {
  return {static_cast<gatewise::CellKind>(cell), static_cast<int>(weight_ih.size()),
          columns(weight_ih[0]), columns(weight_hh[0]), 0, 0};
}

std::vector<gatewise::Weights> weights_of(const std::vector<In>& weight_ih,
                                          const std::vector<In>& weight_hh,
                                          const std::vector<In>& bias_ih,
                                          const std::vector<In>& bias_hh) {
  std::vector<gatewise::Weights> weights;
  for (size_t i = 0; i < weight_ih.size(); ++i) {
    weights.push_back({weight_ih[i].data(), weight_hh[i].data(),
                       i < bias_ih.size() ? bias_ih[i].data() : nullptr,
                       i < bias_hh.size() ? bias_hh[i].data() : nullptr});
  }
  return weights;
}

}  // namespace

NB_MODULE(_kernel, module) {
  // Whether offsets rise from 0 to `tokens`.
  module.def(
      "rises",
      [](const Offsets& offsets, int64_t tokens) {
        const int64_t *const first = offsets.data(), *const last = first + offsets.shape(0) - 1;
        return *first == 0 && *last == tokens && std::is_sorted(first, last + 1);
      },
      "offsets"_a.noconvert(), "tokens"_a);
  // Whether all places are from 0 to count - 1.
  module.def(
      "within",
      [](const Offsets& places, int64_t count) {
        return std::all_of(places.data(), places.data() + places.shape(0),
                           [&](int64_t place) { return 0 <= place && place < count; });
      },
      "places"_a.noconvert(), "count"_a);
  module.def("share_threads", &gatewise::share_threads);
  module.def("team", &gatewise::team);
  module.def("available_targets", &gatewise::available_targets);
  module.def("target", &gatewise::target_name);
  module.def("prefers_bfloat16", &gatewise::prefers_bfloat16);
  module.def("has_precision", [](int precision) {
    return gatewise::target(static_cast<gatewise::Precision>(precision)) != nullptr;
  });
  module.def("use_target", &gatewise::use_target);

  module.def("peak", &gatewise::peak, nb::call_guard<nb::gil_scoped_release>());

  nb::class_<gatewise::Packed>(module, "Packed")
      .def(
          "__init__",
          [](gatewise::Packed* self, int cell, const std::vector<In>& weight_ih,
             const std::vector<In>& weight_hh, const std::vector<In>& bias_ih,
             const std::vector<In>& bias_hh, int precision, int threads) {
            nb::gil_scoped_release unlocked;
            new (self) gatewise::Packed(shape_of(cell, weight_ih, weight_hh),
                                        weights_of(weight_ih, weight_hh, bias_ih, bias_hh),
                                        static_cast<gatewise::Precision>(precision), threads);
          },
          "cell"_a, "weight_ih"_a.noconvert(), "weight_hh"_a.noconvert(), "bias_ih"_a.noconvert(),
          "bias_hh"_a.noconvert(), "precision"_a, "threads"_a)
      .def_prop_ro("projected_floats", &gatewise::Packed::projected_floats)
      .def(
          "project",
          [](const gatewise::Packed& self, const In& x, const Out& projected, int threads) {
            nb::gil_scoped_release unlocked;
            self.project(x.data(), rows(x), projected.data(), threads);
          },
          "x"_a.noconvert(), "projected"_a.noconvert(), "threads"_a)
      .def(
          "forward",
          [](const gatewise::Packed& self, const MaybeIn& x, const MaybeIn& projected,
             const MaybePlaces& places, const Offsets& offsets, const MaybeIn& hidden0,
             const MaybeIn& cell0, const Out& hidden, const Out& final_hidden,
             const MaybeOut& final_cell, const MaybeOut& gates, const MaybeOut& cells,
             int threads) {
            gatewise::Forward call{};
            call.shape = self.shape();
            call.shape.tokens = static_cast<int64_t>(hidden.shape(0));
            call.shape.sequences = static_cast<int64_t>(offsets.shape(0)) - 1;
            call.x = data(x);
            call.projected = data(projected);
            call.places = places ? places->data() : nullptr;
            call.hidden0 = data(hidden0);
            call.cell0 = data(cell0);
            call.hidden = hidden.data();
            call.final_hidden = final_hidden.data();
            call.final_cell = data(final_cell);
            call.gates = data(gates);
            call.cells = data(cells);
            nb::gil_scoped_release unlocked;
            self.forward(call, offsets.data(), threads);
          },
          "x"_a.noconvert().none(), "projected"_a.noconvert().none(),
          "places"_a.noconvert().none(), "offsets"_a.noconvert(), "hidden0"_a.noconvert().none(),
          "cell0"_a.noconvert().none(), "hidden"_a.noconvert(), "final_hidden"_a.noconvert(),
          "final_cell"_a.noconvert().none(), "gates"_a.noconvert().none(),
          "cells"_a.noconvert().none(), "threads"_a);

  nb::class_<gatewise::Linear>(module, "Linear")
      .def(
          "__init__",
          [](gatewise::Linear* self, const In& weight, const MaybeIn& bias, int threads) {
            nb::gil_scoped_release unlocked;
            new (self) gatewise::Linear(weight.data(), data(bias), rows(weight), columns(weight),
                                        threads);
          },
          "weight"_a.noconvert(), "bias"_a.noconvert().none(), "threads"_a)
      .def(
          "outputs",
          [](const gatewise::Linear& self, const In& x, const Out& y, int threads) {
            nb::gil_scoped_release unlocked;
            self.outputs(x.data(), rows(x), y.data(), threads);
          },
          "x"_a.noconvert(), "y"_a.noconvert(), "threads"_a)
      .def(
          "likeliest",
          [](const gatewise::Linear& self, const In& x, const Ids& ids, const Out& scores,
             const Totals& log_totals, int threads) {
            nb::gil_scoped_release unlocked;
            self.likeliest(x.data(), rows(x), static_cast<int64_t>(ids.shape(1)), ids.data(),
                           scores.data(), log_totals.data(), threads);
          },
          "x"_a.noconvert(), "ids"_a.noconvert(), "scores"_a.noconvert(),
          "log_totals"_a.noconvert(), "threads"_a);

  module.def(
      "backward",
      [](int cell, const In& x, const Offsets& offsets, const std::vector<In>& weight_ih,
         const std::vector<In>& weight_hh, const MaybeIn& hidden0, const MaybeIn& cell0,
         const In& hidden, const In& gates, const MaybeIn& cells, const MaybeIn& d_hidden,
         const MaybeIn& d_final_hidden, const MaybeIn& d_final_cell, const MaybeOut& d_x,
         const std::vector<Out>& d_weight_ih, const std::vector<Out>& d_weight_hh,
         const std::vector<Out>& d_bias_ih, const std::vector<Out>& d_bias_hh,
         const MaybeOut& d_hidden0, const MaybeOut& d_cell0, int precision, int threads) {
        gatewise::Backward call{};
        call.shape = shape_of(cell, weight_ih, weight_hh);
        call.shape.tokens = rows(x);
        call.shape.sequences = static_cast<int64_t>(offsets.shape(0)) - 1;
        call.x = x.data();
        call.hidden0 = data(hidden0);
        call.cell0 = data(cell0);
        call.hidden = hidden.data();
        call.gates = gates.data();
        call.cells = data(cells);
        call.d_hidden = data(d_hidden);
        call.d_final_hidden = data(d_final_hidden);
        call.d_final_cell = data(d_final_cell);
        call.d_x = data(d_x);
        call.d_hidden0 = data(d_hidden0);
        call.d_cell0 = data(d_cell0);
        for (size_t i = 0; i < d_weight_ih.size(); ++i) {
          call.d_weights[i] = {d_weight_ih[i].data(), d_weight_hh[i].data(),
                               i < d_bias_ih.size() ? d_bias_ih[i].data() : nullptr,
                               i < d_bias_hh.size() ? d_bias_hh[i].data() : nullptr};
        }
        const auto weights = weights_of(weight_ih, weight_hh, {}, {});
        nb::gil_scoped_release unlocked;
        gatewise::backward(call, weights, static_cast<gatewise::Precision>(precision),
                           offsets.data(), threads);
      },
      "cell"_a, "x"_a.noconvert(), "offsets"_a.noconvert(), "weight_ih"_a.noconvert(),
      "weight_hh"_a.noconvert(), "hidden0"_a.noconvert().none(), "cell0"_a.noconvert().none(),
      "hidden"_a.noconvert(), "gates"_a.noconvert(), "cells"_a.noconvert().none(),
      "d_hidden"_a.noconvert().none(), "d_final_hidden"_a.noconvert().none(),
      "d_final_cell"_a.noconvert().none(), "d_x"_a.noconvert().none(),
      "d_weight_ih"_a.noconvert(), "d_weight_hh"_a.noconvert(), "d_bias_ih"_a.noconvert(),
      "d_bias_hh"_a.noconvert(), "d_hidden0"_a.noconvert().none(),
      "d_cell0"_a.noconvert().none(), "precision"_a, "threads"_a);
}
