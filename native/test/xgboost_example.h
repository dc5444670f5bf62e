// What the XGBoost reader's plain C++ tests share: a small model in both encodings and a way to
// fail.
#pragma once

#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "trees/limits.h"
#include "xgboost/json_events.h"

namespace larder::xgboost::test {

inline constexpr trees::ParseLimits kLimits{1 << 20, 1000, 1'000'000, 1000};

// A dart model of two outputs: a tree with a number, a category and deleted nodes; one leaf.
inline constexpr std::string_view kExample = R"({"learner":{
"attributes":{"best_iteration":"0"},
"feature_names":["a","b","c"],"feature_types":["float","float","c"],
"gradient_booster":{"name":"dart","gbtree":{"name":"gbtree","model":{
"cats":{"enc":[{"offsets":[],"values":[]},{"offsets":[],"values":[]},
{"offsets":[0,1,2,3],"values":[120,121,122]}]},
"gbtree_model_param":{"num_parallel_tree":"1","num_trees":"2"},
"iteration_indptr":[0,2],"tree_info":[1,0],
"trees":[{"id":0,"categories":[1,40],"categories_nodes":[2],"categories_segments":[0],
"categories_sizes":[2],"default_left":[1,0,0,0,0,0,0],
"left_children":[1,-1,3,-1,-1,-1,-1],"right_children":[2,-1,4,-1,-1,-1,-1],
"split_conditions":[0.5,1.0,1e-45,2.0,4.0,0.0,0.0],
"split_indices":[0,0,2,0,0,2147483647,2147483647],"split_type":[0,0,1,0,0,0,0],
"sum_hessian":[6.0,1.0,5.0,2.0,3.0,0.0,0.0],
"tree_param":{"num_nodes":"7","size_leaf_vector":"1"}},
{"id":1,"default_left":[0],"left_children":[-1],"right_children":[-1],
"split_conditions":[-0.25],"split_indices":[0],"sum_hessian":[6.0],
"tree_param":{"num_nodes":"1","size_leaf_vector":"1"}}]}},
"weight_drop":[0.5,1.0]},
"learner_model_param":{"base_score":"[5E-1,1E0]","boost_from_average":"1","num_class":"2",
"num_feature":"3","num_target":"1"},
"objective":{"name":"multi:softprob"}},"version":[3,2,0]})";

// Ends the program, so that a failing check cannot be overlooked.
inline void check(bool holds, std::string const& what) {
  if (holds) return;
  std::fprintf(stderr, "FAILED: %s\n", what.c_str());
  std::exit(1);
}

inline std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::size_t const at = text.find(from);
  check(at != std::string_view::npos, "the text to replace is there: " + std::string(from));
  std::string result(text);
  return result.replace(at, from.size(), to);
}

inline void appendBig(std::string& out, std::uint64_t bits, int byteCount) {
  for (int i = byteCount; i-- > 0;) out += static_cast<char>(bits >> (8 * i));
}

inline void appendLength(std::string& out, std::uint64_t count) {
  out += 'L';
  appendBig(out, count, 8);
}

// The same values as UBJSON. Lists of numbers are typed: whole ones as int32, others as float32.
// Other containers have no counts.
class UbjsonText {
 public:
  explicit UbjsonText(std::string_view json) : events_(json, 0) { value(events_.next()); }
  std::string const& bytes() const { return out_; }

 private:
  void value(Event const& event) {
    switch (event.kind) {
      case EventKind::beginObject:
        return object();
      case EventKind::beginArray:
        return array();
      case EventKind::text:
        out_ += 'S';
        return text(event.text);
      default:
        return number(event.text);
    }
  }

  void object() {
    out_ += '{';
    for (Event key = events_.next(); key.kind != EventKind::endObject; key = events_.next()) {
      text(key.text);
      value(events_.next());
    }
    out_ += '}';
  }

  void array() {
    std::vector<Event> items;
    std::string const before = out_;
    out_ += '[';
    for (Event item = events_.next(); item.kind != EventKind::endArray; item = events_.next()) {
      items.push_back(item);
      value(item);
    }
    out_ += ']';
    if (items.empty() || items[0].kind != EventKind::literal) return;
    out_ = before;
    bool isWhole = true;
    for (Event const& item : items) isWhole = isWhole && isWholeNumber(item.text);
    out_ += isWhole ? "[$l#" : "[$d#";
    appendLength(out_, items.size());
    for (Event const& item : items) appendBig(out_, bitsOf(item.text, isWhole), 4);
  }

  void number(std::string_view literal) {
    out_ += isWholeNumber(literal) ? 'l' : 'd';
    appendBig(out_, bitsOf(literal, isWholeNumber(literal)), 4);
  }

  static bool isWholeNumber(std::string_view literal) {
    return literal.find_first_of(".eE") == std::string_view::npos;
  }

  static std::uint32_t bitsOf(std::string_view literal, bool isWhole) {
    std::string const text(literal);
    if (isWhole) return static_cast<std::uint32_t>(std::stol(text));
    return std::bit_cast<std::uint32_t>(std::strtof(text.c_str(), nullptr));
  }

  void text(std::string_view text) {
    appendLength(out_, text.size());
    out_ += text;
  }

  JsonEvents events_;
  std::string out_;
};

inline std::string asUbjson(std::string_view json) { return UbjsonText(json).bytes(); }

}  // namespace larder::xgboost::test
