"""What a type hint means: a JSON Schema, and a value of that type out of JSON.

A shape is made once, when the module is imported, so that a call only reads. Invariant: what a
shape reads is valid against its schema, and an object of an input has no other members than it
names.
"""

from .compiled import arguments_of, is_record, lenient_shape_of, shape_of
from .field import Field
from .shape import Mismatch, Record, Schema, Shape, schema_of

__all__ = [
    "Field",
    "Mismatch",
    "Record",
    "Schema",
    "Shape",
    "arguments_of",
    "is_record",
    "lenient_shape_of",
    "schema_of",
    "shape_of",
]
