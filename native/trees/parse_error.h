// What is wrong with a model file, and where.
//
// Inside the parser a refusal travels as the exception `ParseFailure`; `parseText` turns it into a
// `ParseError` value, so that no exception leaves this folder.
#pragma once

#include <cstddef>
#include <string>
#include <utility>

namespace larder::trees {

struct ParseError {
  std::size_t offset;   // byte offset in the file
  std::string message;  // names the key, the value and the bound
  std::string excerpt;  // the text at `offset`, printable ASCII only
};

class ParseFailure {
 public:
  ParseFailure(std::size_t offset, std::string message)
      : offset_(offset), message_(std::move(message)) {}
  std::size_t offset() const { return offset_; }
  std::string const& message() const { return message_; }

 private:
  std::size_t offset_;
  std::string message_;
};

}  // namespace larder::trees
