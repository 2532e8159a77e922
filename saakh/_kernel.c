/* One applicant in compiled code: the lookups of lookup.py, linear.py, inputs.py and flips.py, to the last bit.
 *
 * numpy costs about a microsecond a call, which is most of what one applicant costs. Nothing here depends on it: arrays
 * come through the buffer protocol, and the limited API makes one build serve every Python from 3.11. Where this module
 * was not built, numpy does the same: see compiled.py.
 */
#include "_tables.h"

#define LAYOUT 1
#define BLOCK_ROWS 32

/* Buffers of one call: inputs, and what is read or written beside them. -1, an error, and nothing held if one does not
 * fit. */
static int opened(PyObject *const *arrays, Py_buffer *views, const Py_ssize_t *lengths, int count, int first_written)
{
    for (int i = 0; i < count; i++) {
        if (taken(arrays[i], &views[i], 1, i >= first_written, "argument") == 0) {
            if (views[i].len == lengths[i] * 8)
                continue;
            PyBuffer_Release(&views[i]);
            PyErr_SetString(PyExc_ValueError, "an array is not as long as the tables say");
        }
        while (i--)
            PyBuffer_Release(&views[i]);
        return -1;
    }
    return 0;
}

/* both(laid out, x, each, straight, effects): log-odds; the last three are filled in, as `Explained` has them. */
static PyObject *both(PyObject *module, PyObject *args)
{
    PyObject *capsule, *arrays[4];
    if (!PyArg_ParseTuple(args, "OOOOO", &capsule, &arrays[0], &arrays[1], &arrays[2], &arrays[3]))
        return NULL;
    const Model *model = PyCapsule_GetPointer(capsule, NAME);
    if (!model)
        return NULL;
    Py_buffer views[4];
    const Py_ssize_t lengths[4] = {model->inputs, model->trees, model->read, model->inputs};
    if (opened(arrays, views, lengths, 4, 1) < 0)
        return NULL;
    const double *x = views[0].buf;
    double *each = views[1].buf, *straight = views[2].buf, *effects = views[3].buf, total = model->intercept;
    const int64_t *order = WHOLES(model, ORDER), *slot_start = WHOLES(model, SLOT_START), *of = WHOLES(model, OF);
    memset(effects, 0, (size_t)model->inputs * sizeof(double));
    for (Py_ssize_t turn = 0; turn < model->trees; turn++) {
        int64_t tree = order[turn], first = slot_start[tree], end = slot_start[tree + 1];
        const double *said = said_by(model, x, tree);
        each[tree] = said[0];
        total += said[0];
        for (int64_t slot = first; slot < end; slot++)
            effects[of[slot]] += said[1 + slot - first];
    }
    straightened(model, x, straight);
    const int64_t *read = WHOLES(model, READ);
    for (Py_ssize_t i = 0; i < model->read; i++) {
        effects[read[i]] += straight[i];
        total += straight[i];
    }
    for (int i = 0; i < 4; i++)
        PyBuffer_Release(&views[i]);
    return PyFloat_FromDouble(total);
}

/* effects(laid out, x, effects): the contributions of many, row after row; tree by tree for some rows at a time, so that
 * a tree's block stays in the processor's cache. */
static PyObject *effects(PyObject *module, PyObject *args)
{
    PyObject *capsule, *arrays[2];
    if (!PyArg_ParseTuple(args, "OOO", &capsule, &arrays[0], &arrays[1]))
        return NULL;
    const Model *model = PyCapsule_GetPointer(capsule, NAME);
    if (!model)
        return NULL;
    Py_buffer views[2];
    Py_ssize_t size = PyObject_Size(arrays[0]), n = model->inputs, rows = size / n;
    if (size < 0)
        return NULL;
    const Py_ssize_t lengths[2] = {rows * n, rows * n};
    if (opened(arrays, views, lengths, 2, 1) < 0)
        return NULL;
    const double *x = views[0].buf;
    double *out = views[1].buf, straight[INPUTS_MAX];
    const int64_t *order = WHOLES(model, ORDER), *slot_start = WHOLES(model, SLOT_START), *of = WHOLES(model, OF);
    const int64_t *read = WHOLES(model, READ);
    Py_BEGIN_ALLOW_THREADS  /* it may take long, and touches no object of Python */
    memset(out, 0, (size_t)(rows * n) * sizeof(double));
    for (Py_ssize_t block = 0; block < rows; block += BLOCK_ROWS) {
        Py_ssize_t end = block + BLOCK_ROWS < rows ? block + BLOCK_ROWS : rows;
        for (Py_ssize_t turn = 0; turn < model->trees; turn++) {
            int64_t tree = order[turn], first = slot_start[tree], last = slot_start[tree + 1];
            for (Py_ssize_t row = block; row < end; row++) {
                const double *said = said_by(model, x + row * n, tree) + 1;
                for (int64_t slot = first; slot < last; slot++)
                    out[row * n + of[slot]] += said[slot - first];
            }
        }
        for (Py_ssize_t row = block; row < end; row++) {
            straightened(model, x + row * n, straight);
            for (Py_ssize_t i = 0; i < model->read; i++)
                out[row * n + read[i]] += straight[i];
        }
    }
    Py_END_ALLOW_THREADS
    for (int i = 0; i < 2; i++)
        PyBuffer_Release(&views[i]);
    Py_RETURN_NONE;
}

/* in_trees(laid out, x, each, some trees): the log-odds that other inputs add in these trees. */
static PyObject *in_trees(PyObject *module, PyObject *args)
{
    PyObject *capsule, *arrays[2], *some;
    if (!PyArg_ParseTuple(args, "OOOO", &capsule, &arrays[0], &arrays[1], &some))
        return NULL;
    const Model *model = PyCapsule_GetPointer(capsule, NAME);
    if (!model)
        return NULL;
    Py_buffer views[2], chosen;
    const Py_ssize_t lengths[2] = {model->inputs, model->trees};
    if (opened(arrays, views, lengths, 2, 2) < 0)
        return NULL;
    double change = 0.0;
    if (taken(some, &chosen, 0, 0, "some trees") == 0) {
        const double *each = views[1].buf;
        const int64_t *tree = chosen.buf;
        for (Py_ssize_t i = 0; i < chosen.len / 8; i++)
            if (holds(tree[i] >= 0 && tree[i] < model->trees, "a tree's number"))
                change += said_by(model, views[0].buf, tree[i])[0] - each[tree[i]];
        PyBuffer_Release(&chosen);
    }
    for (int i = 0; i < 2; i++)
        PyBuffer_Release(&views[i]);
    return PyErr_Occurred() ? NULL : PyFloat_FromDouble(change);
}

/* ---- an applicant's row ---- */

/* What a plain value is as a number, missing as NaN; 0 for a value that Python must look at. */
static int plain(PyObject *value, PyObject *numpys, double *out)
{
    if (PyFloat_CheckExact(value) || (PyObject *)Py_TYPE(value) == numpys)
        *out = PyFloat_AsDouble(value);
    else if (value == Py_None)
        *out = NAN;
    else if (PyLong_CheckExact(value) || PyBool_Check(value)) {
        *out = PyLong_AsDouble(value);
        if (PyErr_Occurred()) {  /* beyond all floats */
            PyErr_Clear();
            return 0;
        }
    } else
        return 0;
    return 1;
}

/* take(row, names, numpy's float, x): whether `x` could be filled in: all names are there, no others, all plain. */
static PyObject *take(PyObject *module, PyObject *args)
{
    PyObject *row, *names, *numpys, *array;
    if (!PyArg_ParseTuple(args, "O!O!OO", &PyDict_Type, &row, &PyTuple_Type, &names, &numpys, &array))
        return NULL;
    Py_ssize_t count = PyTuple_Size(names);
    Py_buffer view;
    if (PyDict_Size(row) != count)
        Py_RETURN_FALSE;
    if (opened(&array, &view, &count, 1, 0) < 0)
        return NULL;
    double *x = view.buf;
    int is_plain = 1;
    for (Py_ssize_t i = 0; is_plain && i < count; i++) {
        PyObject *value = PyDict_GetItemWithError(row, PyTuple_GetItem(names, i));
        is_plain = value != NULL && plain(value, numpys, &x[i]);
    }
    PyBuffer_Release(&view);
    if (PyErr_Occurred())
        return NULL;
    return PyBool_FromLong(is_plain);
}

static PyMethodDef METHODS[] = {
    {"lay_out", lay_out, METH_VARARGS, "Check a model's tables, and keep them for `both`, `effects` and `in_trees`."},
    {"both", both, METH_VARARGS, "Log-odds of one applicant; contributions and what they come from are filled in."},
    {"effects", effects, METH_VARARGS, "The contributions of many applicants, filled in."},
    {"in_trees", in_trees, METH_VARARGS, "The log-odds that other inputs add in some of the trees."},
    {"take", take, METH_VARARGS, "Fill in one applicant's inputs from a plain dictionary; whether that could be done."},
    {NULL, NULL, 0, NULL}};

static struct PyModuleDef MODULE = {
    .m_base = PyModuleDef_HEAD_INIT, .m_name = "_kernel", .m_doc = "One applicant in compiled code.", .m_size = -1,
    .m_methods = METHODS};

PyMODINIT_FUNC PyInit__kernel(void)
{
    PyObject *module = PyModule_Create(&MODULE);
    if (module && PyModule_AddIntConstant(module, "LAYOUT", LAYOUT) < 0)
        Py_CLEAR(module);
    return module;
}
