/* The loops over rows of kernel.py in compiled code, to the last bit.
 *
 * Arrays come through the buffer protocol, and the limited API makes one build serve every Python from 3.11. Every length
 * and every index is checked before it is used. Where this module was not built, numpy does the same: see kernel.py.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "_order.h"
#include "_slices.h"

#define LAYOUT 1

/* The arrays of one call, given back together. */
typedef struct {
    Py_buffer *views;
    Py_ssize_t count, room;
} Held;

static int hold_up_to(Held *held, Py_ssize_t room)
{
    *held = (Held){calloc((size_t)room, sizeof(Py_buffer)), 0, room};
    if (!held->views)
        PyErr_NoMemory();
    return held->views ? 0 : -1;
}

static void let_go(Held *held)
{
    while (held->count)
        PyBuffer_Release(&held->views[--held->count]);
    free(held->views);
}

/* One flat array of `kind`: whole numbers 'q' or real ones 'd' of 64 bits, or truths '?'; of any length if it is to be -1.
 * -1 with an error for anything else. */
static int hold(Held *held, PyObject *array, char kind, int is_written, int64_t length, const char *name, void *found)
{
    Py_buffer *view = &held->views[held->count];
    if (held->count >= held->room) {
        PyErr_SetString(PyExc_ValueError, "there are too many arrays");
        return -1;
    }
    if (PyObject_GetBuffer(array, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (is_written ? PyBUF_WRITABLE : 0)) < 0)
        return -1;
    held->count++;
    const char *format = view->format ? view->format : "B";
    int is_alike = format[0] == kind || (kind == 'q' && format[0] == 'l');
    if (view->ndim != 1 || format[0] == 0 || format[1] != 0 || !is_alike || view->itemsize != (kind == '?' ? 1 : 8)) {
        PyErr_Format(PyExc_ValueError, "'%s' is not a flat array of the right type", name);
        return -1;
    }
    if (length >= 0 && view->len / view->itemsize != length) {
        PyErr_Format(PyExc_ValueError, "'%s' is not as long as the segments say", name);
        return -1;
    }
    memcpy(found, &view->buf, sizeof(void *));
    return 0;
}

static int hold_if_any(Held *held, PyObject *array, char kind, int64_t length, const char *name, void *found)
{
    return array == Py_None ? 0 : hold(held, array, kind, 0, length, name, found);
}

/* Where segments start; they must ascend from 0. */
static int hold_starts(Held *held, PyObject *array, const int64_t **starts, int64_t *segments)
{
    if (hold(held, array, 'q', 0, -1, "starts", starts) < 0)
        return -1;
    *segments = held->views[held->count - 1].len / 8 - 1;
    int is_sound = *segments >= 0 && (*starts)[0] == 0;
    for (int64_t s = 0; is_sound && s < *segments; s++)
        is_sound = (*starts)[s] <= (*starts)[s + 1];
    if (!is_sound)
        PyErr_SetString(PyExc_ValueError, "'starts' does not ascend from 0");
    return is_sound ? 0 : -1;
}

static PyObject *done(Held *held, int has_space)
{
    let_go(held);
    if (!has_space && !PyErr_Occurred())
        return PyErr_NoMemory();
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

/* factorise(starts, values, codes, counts, firsts): how many of `firsts` are filled in. */
static PyObject *factorise(PyObject *module, PyObject *args)
{
    PyObject *arrays[5];
    Held held;
    const int64_t *starts, *values;
    int64_t segments, *codes, *counts, *firsts, total;
    if (!PyArg_ParseTuple(args, "OOOOO", &arrays[0], &arrays[1], &arrays[2], &arrays[3], &arrays[4]) ||
        hold_up_to(&held, 5) < 0)
        return NULL;
    if (hold_starts(&held, arrays[0], &starts, &segments) < 0 ||
        hold(&held, arrays[1], 'q', 0, starts[segments], "values", &values) < 0 ||
        hold(&held, arrays[2], 'q', 1, starts[segments], "codes", &codes) < 0 ||
        hold(&held, arrays[3], 'q', 1, segments, "counts", &counts) < 0 ||
        hold(&held, arrays[4], 'q', 1, starts[segments], "firsts", &firsts) < 0)
        return done(&held, 1);
    Py_BEGIN_ALLOW_THREADS
    total = factorised(starts, segments, values, codes, counts, firsts);
    Py_END_ALLOW_THREADS
    let_go(&held);
    return total < 0 ? PyErr_NoMemory() : PyLong_FromLongLong(total);
}

/* ordered(starts, columns, order): `order` is filled in. */
static PyObject *ordered(PyObject *module, PyObject *args)
{
    PyObject *array, *columns, *out;
    Held held;
    const int64_t *starts;
    int64_t segments, *order;
    int has_space = 1;
    if (!PyArg_ParseTuple(args, "OO!O", &array, &PyTuple_Type, &columns, &out) ||
        hold_up_to(&held, 2 + PyTuple_Size(columns)) < 0)
        return NULL;
    Columns by = {calloc((size_t)PyTuple_Size(columns) + 1, sizeof(int64_t *)), PyTuple_Size(columns)};
    int is_sound = by.columns && hold_starts(&held, array, &starts, &segments) == 0 &&
                   hold(&held, out, 'q', 1, starts[segments], "order", &order) == 0;
    if (is_sound && by.count == 0) {
        PyErr_SetString(PyExc_ValueError, "there are no columns");
        is_sound = 0;
    }
    for (int64_t i = 0; is_sound && i < by.count; i++)
        is_sound = hold(&held, PyTuple_GetItem(columns, i), 'q', 0, starts[segments], "columns", &by.columns[i]) == 0;
    if (is_sound) {
        Py_BEGIN_ALLOW_THREADS
        has_space = put_in_order(starts, segments, &by, order) == 0;
        Py_END_ALLOW_THREADS
    }
    has_space = has_space && by.columns;
    free(by.columns);
    return done(&held, has_space);
}

/* The array that `values` and `mask` of one atom are, checked. */
static int hold_atom(Held *held, PyObject *const *arrays, int64_t rows, Atom *atom)
{
    if (atom->op < 0 || atom->op >= OPS || (arrays[0] == Py_None && atom->op != COUNT)) {
        PyErr_SetString(PyExc_ValueError, "there is no such operation, or nothing to do it on");
        return -1;
    }
    atom->values = NULL;
    atom->mask = NULL;
    return hold_if_any(held, arrays[0], 'q', rows, "values", &atom->values) < 0 ||
                   hold_if_any(held, arrays[1], '?', rows, "mask", &atom->mask) < 0 ? -1 : 0;
}

/* reduced(starts, op, values, mask, out): `out` is filled in. */
static PyObject *reduced(PyObject *module, PyObject *args)
{
    PyObject *array, *arrays[2], *out;
    Held held;
    Atom atom;
    const int64_t *starts;
    int64_t segments;
    if (!PyArg_ParseTuple(args, "OiOOO", &array, &atom.op, &arrays[0], &arrays[1], &out) || hold_up_to(&held, 4) < 0)
        return NULL;
    if (hold_starts(&held, array, &starts, &segments) == 0 && hold_atom(&held, arrays, starts[segments], &atom) == 0 &&
        hold(&held, out, 'q', 1, segments, "out", &atom.out) == 0) {
        Py_BEGIN_ALLOW_THREADS
        reduce(starts, segments, atom.op, atom.values, atom.mask, atom.out);
        Py_END_ALLOW_THREADS
    }
    return done(&held, 1);
}

/* medians(starts, values, mask, out, found): `out` and `found` are filled in. */
static PyObject *medians(PyObject *module, PyObject *args)
{
    PyObject *arrays[5];
    Held held;
    const int64_t *starts, *values;
    const uint8_t *mask = NULL;
    int64_t segments;
    double *out;
    uint8_t *found;
    int has_space = 1;
    if (!PyArg_ParseTuple(args, "OOOOO", &arrays[0], &arrays[1], &arrays[2], &arrays[3], &arrays[4]) ||
        hold_up_to(&held, 5) < 0)
        return NULL;
    if (hold_starts(&held, arrays[0], &starts, &segments) == 0 &&
        hold(&held, arrays[1], 'q', 0, starts[segments], "values", &values) == 0 &&
        hold_if_any(&held, arrays[2], '?', starts[segments], "mask", &mask) == 0 &&
        hold(&held, arrays[3], 'd', 1, segments, "out", &out) == 0 &&
        hold(&held, arrays[4], '?', 1, segments, "found", &found) == 0) {
        Py_BEGIN_ALLOW_THREADS
        has_space = take_medians(starts, segments, values, mask, out, found) == 0;
        Py_END_ALLOW_THREADS
    }
    return done(&held, has_space);
}

#include "_sliced.h"

static PyMethodDef METHODS[] = {
    {"factorise", factorise, METH_VARARGS, "Number equal values alike in each segment."},
    {"ordered", ordered, METH_VARARGS, "Sort the rows of each segment."},
    {"sliced", sliced, METH_VARARGS, "Add rows up by application, union of parts, window and key."},
    {"reduced", reduced, METH_VARARGS, "Add the rows of each segment up."},
    {"medians", medians, METH_VARARGS, "The median of each segment."},
    {NULL, NULL, 0, NULL}};

static struct PyModuleDef MODULE = {
    .m_base = PyModuleDef_HEAD_INIT, .m_name = "_kernel", .m_doc = "Loops over rows in compiled code.", .m_size = -1,
    .m_methods = METHODS};

PyMODINIT_FUNC PyInit__kernel(void)
{
    PyObject *module = PyModule_Create(&MODULE);
    if (module && PyModule_AddIntConstant(module, "LAYOUT", LAYOUT) < 0)
        Py_CLEAR(module);
    return module;
}
