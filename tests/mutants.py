"""Mechanical mutants: small changes of a syntax tree, as a slip of the hand makes them."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

OPERATORS = {
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.MatMult, ast.Div),
    ast.MatMult: (ast.Mult,), ast.Div: (ast.Mult,), ast.Pow: (ast.Mult,), ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,), ast.FloorDiv: (ast.Div,), ast.Mod: (ast.FloorDiv,),
}
COMMUTATIVE = (ast.Add, ast.Mult, ast.BitAnd, ast.BitOr)
COMPARISONS = {
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt), ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}
NAMES = {"sum": "mean", "mean": "sum", "max": "min", "min": "max", "maximum": "minimum",
         "minimum": "maximum", "zeros": "ones", "ones": "zeros", "zeros_like": "ones_like",
         "ones_like": "zeros_like", "hstack": "vstack", "sin": "cos", "cos": "sin",
         "argmax": "argmin", "append": "extend"}


def mutants(function: ast.FunctionDef) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Yield (what has been changed, the changed function); the docstring stays as it is."""
    whole = ast.unparse(function)
    for path, node in _walk(function, ()):
        before = ast.unparse(node)
        for new in _changes(node):
            if not hasattr(new, "lineno"):
                ast.fix_missing_locations(ast.copy_location(new, node))
            after, changed = ast.unparse(new), _put(function, path, new)
            if before != after and ast.unparse(changed) != whole:
                yield f"line {node.lineno - function.lineno}: {before} → {after}", changed
    for path, node in _walk(function, ()):
        if isinstance(node, ast.stmt) and not isinstance(node, (ast.Return, ast.FunctionDef)):
            line = ast.unparse(node).splitlines()[0]
            yield (f"line {node.lineno - function.lineno}: dropped {line}",
                   _put(function, path, ast.copy_location(ast.Pass(), node)))


def _walk(node, path):
    """Yield (path, node) for everything in the body of a function but its docstring."""
    for name, value in ast.iter_fields(node):
        if name in ("args", "decorator_list", "returns") and isinstance(node, ast.FunctionDef):
            continue
        items = value if isinstance(value, list) else [value]
        for index, item in enumerate(items):
            if not isinstance(item, ast.AST) or not hasattr(item, "lineno"):
                continue
            if isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant):
                continue
            here = (*path, (name, index if isinstance(value, list) else None))
            yield here, item
            yield from _walk(item, here)


def _put(root, path, new):
    """Return a tree with something else at the end of a path; all beside the path is shared."""
    if not path:
        return new
    (name, index), *rest = path
    root, part = copy.copy(root), getattr(root, name)
    if index is None:
        setattr(root, name, _put(part, rest, new))
    else:
        setattr(root, name, [*part[:index], _put(part[index], rest, new), *part[index + 1:]])
    return root


def _changes(node) -> Iterator[ast.AST]:
    """Yield what may stand in the place of one node."""
    if isinstance(node, ast.BinOp):
        yield from (ast.BinOp(node.left, op(), node.right)
                    for op in OPERATORS.get(type(node.op), ()))
        if not isinstance(node.op, COMMUTATIVE):
            yield ast.BinOp(node.right, node.op, node.left)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Invert, ast.Not)):
        yield node.operand
    elif isinstance(node, ast.Compare):
        for op in COMPARISONS.get(type(node.ops[0]), ()):
            yield ast.Compare(node.left, [op(), *node.ops[1:]], node.comparators)
    elif isinstance(node, ast.Attribute):
        if node.attr == "T":
            yield node.value
        elif node.attr in NAMES:
            yield ast.Attribute(node.value, NAMES[node.attr], node.ctx)
    elif isinstance(node, ast.Constant):
        yield from _constants(node.value)
    elif isinstance(node, ast.Call):
        yield from _calls(node)
    elif isinstance(node, ast.AugAssign):
        yield from (ast.AugAssign(node.target, op(), node.value)
                    for op in OPERATORS.get(type(node.op), ()))
        yield ast.Assign([node.target], node.value)
    elif isinstance(node, ast.Return) and node.value is not None:
        yield ast.Return(ast.Constant(None))
        if isinstance(node.value, ast.Tuple):
            yield ast.Return(ast.Tuple(node.value.elts[::-1], ast.Load()))


def _constants(value):
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, (int, float)):
        yield ast.Constant(value + 1)
        if value:
            yield ast.Constant(2 * value)
        if isinstance(value, int):
            yield ast.Constant(value - 1)


def _calls(node):
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(
        node.func, "id", "")
    if called == "copy" and not node.args and isinstance(node.func, ast.Attribute):
        yield node.func.value
    if len(node.args) == 1 and not node.keywords and not isinstance(node.args[0], ast.Starred):
        yield node.args[0]  # the call forgotten
    if len(node.args) > 1 and called not in ("maximum", "minimum"):
        yield ast.Call(node.func, [node.args[1], node.args[0], *node.args[2:]], node.keywords)
    if called == "range":
        last = node.args[-1]
        yield ast.Call(node.func, [*node.args[:-1], ast.BinOp(
            last, ast.Sub(), ast.Constant(1))], [])
    for i in range(len(node.keywords)):
        rest = [*node.keywords[:i], *node.keywords[i + 1:]]
        yield ast.Call(node.func, node.args, rest)
