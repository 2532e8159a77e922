/* The tables of a model as compiled code reads them, and what single trees and the linear part say.
 *
 * Every index is checked in `lay_out`, once for each table, so that no file can make a lookup leave its table.
 */
#ifndef SAAKH_TABLES_H
#define SAAKH_TABLES_H
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#if FLT_EVAL_METHOD != 0
#error "this machine keeps more bits than a double has: numpy is used instead"
#endif

#define NAME "saakh._kernel.laid_out"
#define INPUTS_MAX 5000
#define SPLITS_MAX 7
#define NEGATED 1
#define ZERO_IS_MISSING 2
#define FAR_AWAY 32.0
#define REACH 4.0

typedef struct {
    Py_buffer view;
    Py_ssize_t length;
} Column;

/* compiled.py says what each is. */
enum { ORDER, START, FEATURE, KIND, THRESHOLD, SLOT_START, OF, BLOCK_AT, BLOCKS, READ, CENTER, SCALE, COEFFICIENT,
       MEAN, COLUMNS };
static const char *const NAMES[COLUMNS] = {
    "order", "start", "feature", "kind", "threshold", "slot_start", "of", "block_at", "blocks", "read", "center",
    "scale", "coefficient", "mean"};
static const char IS_REAL[COLUMNS] = {0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 1, 1};

typedef struct {
    Column columns[COLUMNS];
    Py_ssize_t inputs, trees, read;
    double zero, step, intercept;
} Model;

#define REALS(model, column) ((const double *)(model)->columns[column].view.buf)
#define WHOLES(model, column) ((const int64_t *)(model)->columns[column].view.buf)
#define LENGTH(model, column) ((model)->columns[column].length)

/* ---- buffers ---- */

/* A contiguous array of doubles or of 64-bit whole numbers; an error is set for anything else. */
static int taken(PyObject *array, Py_buffer *view, int is_real, int is_written, const char *name)
{
    if (PyObject_GetBuffer(array, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (is_written ? PyBUF_WRITABLE : 0)) < 0)
        return -1;
    const char *format = view->format ? view->format : "B";
    int fits = view->itemsize == 8 && view->ndim == 1 && format[1] == 0 &&
               (is_real ? format[0] == 'd' : format[0] == 'l' || format[0] == 'q');
    if (fits)
        return 0;
    PyErr_Format(PyExc_TypeError, "'%s' is no array of %s of 64 bits", name, is_real ? "numbers" : "whole numbers");
    PyBuffer_Release(view);
    return -1;
}

static int holds(int so, const char *what)
{
    if (!so && !PyErr_Occurred())
        PyErr_Format(PyExc_ValueError, "tables are not sound: %s", what);
    return so;
}

static int within(const Model *model, int column, int64_t low, int64_t high)
{
    const int64_t *values = WHOLES(model, column);
    for (Py_ssize_t i = 0; i < LENGTH(model, column); i++)
        if (values[i] < low || values[i] > high)
            return 0;
    return 1;
}

/* ---- a model's tables, checked ---- */

static void release(PyObject *capsule)
{
    Model *model = PyCapsule_GetPointer(capsule, NAME);
    for (int i = 0; i < COLUMNS; i++)
        if (model->columns[i].view.obj)
            PyBuffer_Release(&model->columns[i].view);
    PyMem_Free(model);
}

/* Each tree's block must lie within the table: it has a row for each of the 2^k patterns of its k splits. */
static int blocks_fit(const Model *model)
{
    const int64_t *start = WHOLES(model, START), *slot_start = WHOLES(model, SLOT_START);
    const int64_t *block_at = WHOLES(model, BLOCK_AT);
    if (start[0] != 0 || start[model->trees] != LENGTH(model, FEATURE))
        return 0;
    if (slot_start[0] != 0 || slot_start[model->trees] != LENGTH(model, OF))
        return 0;
    for (Py_ssize_t tree = 0; tree < model->trees; tree++) {
        int64_t splits = start[tree + 1] - start[tree], slots = slot_start[tree + 1] - slot_start[tree];
        if (splits < 0 || splits > SPLITS_MAX || slots < 0 || slots > SPLITS_MAX)
            return 0;
        if (block_at[tree] + (1 << splits) * (slots + 1) > LENGTH(model, BLOCKS))
            return 0;
    }
    return 1;
}

static int is_sound(const Model *model)
{
    Py_ssize_t splits = LENGTH(model, FEATURE), n = model->inputs;
    return holds(n >= 1 && n <= INPUTS_MAX, "the number of inputs") &&
           holds(LENGTH(model, START) == model->trees + 1 && LENGTH(model, SLOT_START) == model->trees + 1 &&
                     LENGTH(model, ORDER) == model->trees, "trees") &&
           holds(LENGTH(model, KIND) == splits && LENGTH(model, THRESHOLD) == splits, "splits") &&
           holds(model->read <= n && LENGTH(model, CENTER) == model->read && LENGTH(model, SCALE) == model->read &&
                     LENGTH(model, COEFFICIENT) == model->read && LENGTH(model, MEAN) == model->read, "the linear part") &&
           holds(within(model, ORDER, 0, model->trees - 1) && within(model, START, 0, splits) &&
                     within(model, FEATURE, 0, n - 1) && within(model, KIND, 0, 3) &&
                     within(model, SLOT_START, 0, LENGTH(model, OF)) && within(model, OF, 0, n - 1) &&
                     within(model, BLOCK_AT, 0, LENGTH(model, BLOCKS)) && within(model, READ, 0, n - 1), "an index") &&
           holds(blocks_fit(model), "a block is too short");
}

static PyObject *lay_out(PyObject *module, PyObject *args)
{
    PyObject *arrays;
    Model *model = PyMem_Calloc(1, sizeof(Model));
    if (!model)
        return PyErr_NoMemory();
    if (!PyArg_ParseTuple(args, "O!nddd", &PyDict_Type, &arrays, &model->inputs, &model->zero, &model->step,
                          &model->intercept)) {
        PyMem_Free(model);
        return NULL;
    }
    PyObject *capsule = PyCapsule_New(model, NAME, release);
    if (!capsule) {
        PyMem_Free(model);
        return NULL;
    }
    for (int i = 0; i < COLUMNS; i++) {
        PyObject *array = PyDict_GetItemString(arrays, NAMES[i]);
        if (!holds(array != NULL, NAMES[i]) || taken(array, &model->columns[i].view, IS_REAL[i], 0, NAMES[i]) < 0) {
            Py_DECREF(capsule);
            return NULL;
        }
        model->columns[i].length = model->columns[i].view.len / 8;
    }
    model->trees = LENGTH(model, BLOCK_AT);
    model->read = LENGTH(model, READ);
    if (!is_sound(model)) {
        Py_DECREF(capsule);
        return NULL;
    }
    return capsule;
}

/* ---- what trees and the linear part say ---- */

/* The pattern of answers of one tree: a comparison with NaN is false. */
static inline int64_t pattern_of(const Model *model, const double *x, Py_ssize_t tree)
{
    const int64_t *start = WHOLES(model, START), *feature = WHOLES(model, FEATURE), *kind = WHOLES(model, KIND);
    const double *threshold = REALS(model, THRESHOLD);
    int64_t pattern = 0, first = start[tree], end = start[tree + 1];
    for (int64_t at = first; at < end; at++) {
        double value = x[feature[at]];
        if (kind[at] & ZERO_IS_MISSING && fabs(value) <= model->zero)
            value = NAN;
        if (kind[at] & NEGATED)
            value = -value;
        pattern |= (int64_t)(value <= threshold[at]) << (at - first);
    }
    return pattern;
}

/* What one tree says of the inputs, and after it what it gives each of its own inputs. */
static inline const double *said_by(const Model *model, const double *x, Py_ssize_t tree)
{
    const int64_t *slot_start = WHOLES(model, SLOT_START);
    int64_t width = slot_start[tree + 1] - slot_start[tree] + 1;
    return REALS(model, BLOCKS) + WHOLES(model, BLOCK_AT)[tree] + pattern_of(model, x, tree) * width;
}

/* What each input of the linear part adds: see `transformed` and `Linear.effects_of`, operation by operation. */
static void straightened(const Model *model, const double *x, double *out)
{
    const int64_t *read = WHOLES(model, READ);
    const double *center = REALS(model, CENTER), *scale = REALS(model, SCALE);
    const double *coefficient = REALS(model, COEFFICIENT), *mean = REALS(model, MEAN);
    Py_ssize_t count = model->read;
    double z[INPUTS_MAX];
    for (Py_ssize_t i = 0; i < count; i++)
        z[i] = x[read[i]];
    for (Py_ssize_t i = 0; i < count; i++)
        z[i] = (z[i] - center[i]) / scale[i];
    for (Py_ssize_t i = 0; i < count; i++) {
        double size = fabs(z[i]);
        size = size > FAR_AWAY ? FAR_AWAY : size;
        double root = sqrt(sqrt(sqrt(size * size + 1.0) + size));
        double part = (root - 1.0) / (root + 1.0), square = part * part;
        double series = ((square * 3.0 + 5.0) * square + 15.0) * part / (15.0 / 8.0);
        series = series > REACH ? REACH : series;
        out[i] = (copysign(series, z[i]) - mean[i]) * coefficient[i] + 0.5;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        double effect = floor(out[i]) * model->step;
        out[i] = isnan(effect) ? 0.0 : effect;
    }
}

#endif
