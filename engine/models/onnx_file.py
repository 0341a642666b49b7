"""ONNX files as messages of protobuf, which ONNX Runtime brings along: to write one, and to look into one.

The package ``onnx`` does the same in 31 MB; what makes engines and trains uses that. Here stand the fields of its schema that
something of the live side names (``onnx/onnx.proto``); all others of a file that is read are kept as they are when it is
written again.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from engine.errors import ModelError

FLOAT, INT64 = 1, 7
"""Of ``Tensor.data_type`` and ``TensorType.elem_type``."""
INTS = 7
"""Of ``Attribute.type``."""
_SCHEMA = """
Model ir_version=1:int64 producer_name=2:string graph=7:Graph opset_import=8:Operators* metadata_props=14:Entry*
Entry key=1:string value=2:string
Operators domain=1:string version=2:int64
Graph node=1:Node* name=2:string initializer=5:Tensor* input=11:Value* output=12:Value* value_info=13:Value*
Node input=1:string* output=2:string* name=3:string op_type=4:string attribute=5:Attribute*
Attribute name=1:string g=6:Graph ints=8:int64* graphs=11:Graph* type=20:int32
Tensor dims=1:int64* data_type=2:int32 name=8:string raw_data=9:bytes
Value name=1:string type=2:Type
Type tensor_type=1:TensorType
TensorType elem_type=1:int32 shape=2:Shape
Shape dim=1:Dim*
Dim dim_value=1:int64 dim_param=2:string
"""
"""A message a line: its name, then ``field=number:type``, with a star where there may be several."""


def new_model() -> Any:
    """Return an empty ``Model``."""
    return _model_class()()


def read_model(file: Path | bytes, name: str) -> Any:
    """Return the ``Model`` that a file holds; weights that lie outside it are not looked at.

    Args:
        file: its path, or its content.
        name: what messages call it.

    Raises:
        ModelError: it cannot be read, or is not an ONNX file.
    """
    from google.protobuf.message import DecodeError

    try:
        return _model_class().FromString(file if isinstance(file, bytes) else file.read_bytes())
    except OSError as error:
        raise ModelError(f"cannot read {name}: {error.strerror}") from error
    except DecodeError as error:
        raise ModelError(
            f"{name} cannot be loaded: it is not an ONNX file, or it is damaged: check the path, or fetch it again"
        ) from error


@cache
def _model_class() -> Any:
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="facestream/onnx.proto", package="onnx", syntax="proto2")
    for line in _SCHEMA.strip().splitlines():
        name, *fields = line.split()
        message = file.message_type.add(name=name)
        for one in fields:
            called, _, rest = one.partition("=")
            number, _, kind = rest.partition(":")
            field = message.field.add(name=called, number=int(number))
            field.label = kinds.LABEL_REPEATED if kind.endswith("*") else kinds.LABEL_OPTIONAL
            kind = kind.rstrip("*")
            if kind[0].isupper():
                field.type, field.type_name = kinds.TYPE_MESSAGE, f".onnx.{kind}"
            else:
                field.type = kinds.Type.Value(f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()  # of its own: the package ``onnx`` has its messages in the common one
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("onnx.Model"))
