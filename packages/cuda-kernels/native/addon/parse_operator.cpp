#include "addon/parse_operator.h"

#include <string>

#include "addon/fields.h"

namespace dpllm {
namespace {

// An operator's fields by name.
struct Fields {
  const Napi::Object& o;
  int index(const char* name) const { return int_field(o, name); }
  size_t size(const char* name) const { return size_field(o, name); }
  float real(const char* name) const { return float_field(o, name); }
  bool flag(const char* name) const { return int_field(o, name) != 0; }
  std::vector<int> indices(const char* name) const { return ints_field(o, name); }
  Activation activation() const { return static_cast<Activation>(index("activation")); }
};

}  // namespace

Operator parse_operator(const Napi::Object& o) {
  const std::string kind = o.Get("kind").As<Napi::String>();
  const Fields f = {o};
  if (kind == "embed") return Embed{f.index("tokens"), f.index("table"), f.index("out")};
  if (kind == "rmsNorm") return RmsNorm{f.index("x"), f.index("weight"), f.real("eps"), f.index("out")};
  if (kind == "linear") return Linear{f.index("x"), f.index("weight"), f.index("bias"), f.index("bits"), f.index("out")};
  if (kind == "select") return Select{f.index("x"), f.index("weight"), f.index("bits"), f.index("estimate"), f.index("index")};
  if (kind == "rope") {
    return Rope{f.index("x"), f.index("frequencies"), f.size("headDim"), f.real("scale"), f.flag("transposed"), f.index("out")};
  }
  if (kind == "attention") {
    return Attention{f.index("q"), f.index("k"), f.index("v"), f.index("layer"), f.size("heads"), f.size("kvHeads"),
                     f.size("headDim"), f.real("scale"), f.size("window"), f.index("out")};
  }
  if (kind == "gate") return Gate{f.index("gate"), f.index("up"), f.activation(), f.index("out")};
  if (kind == "add") return Add{f.index("a"), f.index("b"), f.index("out")};
  if (kind == "split") return Split{f.index("x"), f.indices("outs")};
  if (kind == "take") return Take{f.index("x"), f.index("rows"), f.index("out")};
  if (kind == "crossEntropy") return CrossEntropy{f.index("logits"), f.index("targets"), f.index("out")};

  if (kind == "linearTransposed") return LinearTransposed{f.index("dy"), f.index("weight"), f.index("bits"), f.index("out")};
  if (kind == "rmsNormGradient") {
    return RmsNormGradient{f.index("x"), f.index("dy"), f.index("weight"), f.real("eps"), f.index("out")};
  }
  if (kind == "attentionGradient") {
    return AttentionGradient{f.index("q"), f.index("k"), f.index("v"), f.index("dy"), f.size("heads"), f.size("kvHeads"),
                             f.size("headDim"), f.real("scale"), f.size("window"), f.index("dq"), f.index("dk"), f.index("dv")};
  }
  if (kind == "gateGradient") {
    return GateGradient{f.index("gate"), f.index("up"), f.index("dy"), f.activation(), f.index("dGate"), f.index("dUp")};
  }
  if (kind == "concat") return Concat{f.indices("xs"), f.index("out")};
  if (kind == "put") return Put{f.index("x"), f.index("rows"), f.index("out")};
  if (kind == "crossEntropyGradient") {
    return CrossEntropyGradient{f.index("logits"), f.index("targets"), f.real("scale"), f.index("out")};
  }
  if (kind == "klDivergence") return KlDivergence{f.index("logits"), f.index("teacher"), f.index("out")};
  if (kind == "klDivergenceGradient") {
    return KlDivergenceGradient{f.index("logits"), f.index("teacher"), f.real("scale"), f.index("out")};
  }
  if (kind == "accumulate") return Accumulate{f.index("x"), f.index("dy"), f.flag("squares"), f.index("into")};
  if (kind == "accumulateTables") {
    return AccumulateTables{f.index("x"), f.index("dy"), f.index("weight"), f.index("bits"), f.index("into")};
  }
  if (kind == "mixedLinear") {
    return MixedLinear{f.index("x"), f.index("weight"), f.index("bias"), f.index("averageBits"), f.index("out")};
  }
  if (kind == "mixedLinearTransposed") {
    return MixedLinearTransposed{f.index("dy"), f.index("weight"), f.index("averageBits"), f.index("out")};
  }
  if (kind == "bitsGradient") {
    return BitsGradient{f.index("x"), f.index("dy"), f.index("weight"), f.index("averageBits"), f.index("out")};
  }
  if (kind == "tokenErrors") {
    return TokenErrors{f.index("x"), f.index("dy"), f.index("weight"), f.index("low"), f.index("high"), f.index("out")};
  }
  throw Napi::TypeError::New(o.Env(), "unknown operator " + kind);
}

}  // namespace dpllm
