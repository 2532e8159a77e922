/* The call of _slices.h from Python: its arrays, checked, and the arrays that it makes. */
#ifndef PIPELINE_SLICED_H
#define PIPELINE_SLICED_H

/* How many keys each application has; all together must be a number that can be counted to. */
static int hold_counts(Held *held, PyObject *array, Slices *of)
{
    of->widest = of->applications > 0;
    if (array == Py_None)
        return 0;
    of->widest = 0;
    if (hold(held, array, 'q', 0, of->applications, "counts", &of->counts) < 0)
        return -1;
    for (int64_t a = 0; a < of->applications; a++) {
        if (of->counts[a] < 0 || of->counts[a] >= CELLS_MAX) {
            PyErr_SetString(PyExc_ValueError, "there cannot be as many keys as 'counts' says");
            return -1;
        }
        of->widest = of->counts[a] > of->widest ? of->counts[a] : of->widest;
    }
    return 0;
}

/* The unions of parts, a bit for each part. */
static int read_members(Held *held, PyObject *array, Slices *of)
{
    const int64_t *members;
    if (hold(held, array, 'q', 0, -1, "members", &members) < 0)
        return -1;
    of->patterns = held->views[held->count - 1].len / 8;
    int is_sound = of->patterns >= 1 && of->patterns <= PATTERNS_MAX && of->windows >= 1 && of->windows <= WINDOWS_MAX;
    for (int64_t p = 0; is_sound && p < of->patterns; p++) {
        is_sound = members[p] >= 0 && members[p] < 1 << PARTS;
        of->members[p] = (int)members[p];
    }
    if (!is_sound)
        PyErr_SetString(PyExc_ValueError, "there cannot be such patterns, or as many of them or of windows");
    return is_sound ? 0 : -1;
}

static int hold_atoms(Held *held, PyObject *atoms, int64_t rows, Atom *out)
{
    for (Py_ssize_t i = 0; i < PyTuple_Size(atoms); i++) {
        PyObject *atom = PyTuple_GetItem(atoms, i), *arrays[2];
        if (!PyTuple_Check(atom)) {
            PyErr_SetString(PyExc_ValueError, "an atom is an operation, values and a mask");
            return -1;
        }
        if (!PyArg_ParseTuple(atom, "iOO", &out[i].op, &arrays[0], &arrays[1]) ||
            hold_atom(held, arrays, rows, &out[i]) < 0)
            return -1;
    }
    return 0;
}

/* A new array of whole numbers that `empty` makes, held for writing; NULL with an error. */
static PyObject *new_array(Held *held, PyObject *empty, int64_t length, int64_t **found)
{
    PyObject *array = PyObject_CallFunction(empty, "L", (long long)length);
    if (array && hold(held, array, 'q', 1, length, "new array", found) < 0)
        Py_CLEAR(array);
    return array;
}

/* (keys, [values of each atom]), once it is known how many entries there are; NULL with an error. */
static PyObject *filled_arrays(Held *held, PyObject *empty, Slices *of, Atom *atoms, Py_ssize_t count)
{
    int64_t *keys;
    PyObject *first = new_array(held, empty, of->entries, &keys), *lists = PyList_New(count);
    int is_there = first && lists;
    for (Py_ssize_t i = 0; is_there && i < count; i++) {
        PyObject *array = new_array(held, empty, of->entries, &atoms[i].out);
        is_there = array && PyList_SetItem(lists, i, array) == 0;
    }
    if (is_there) {
        Py_BEGIN_ALLOW_THREADS
        if (of->entries)
            memcpy(keys, of->keys, (size_t)of->entries * sizeof(int64_t));
        all_filled_in(of, atoms, count);
        Py_END_ALLOW_THREADS
    }
    PyObject *both = is_there ? PyTuple_Pack(2, first, lists) : NULL;
    Py_XDECREF(first);
    Py_XDECREF(lists);
    return both;
}

/* sliced(starts, codes, counts, band, windows, part, members, atoms, starts_out, empty): keys and values of all entries;
 * `starts_out` is filled in. */
static PyObject *sliced(PyObject *module, PyObject *args)
{
    PyObject *starts, *codes, *counts, *band, *part, *members, *tuple, *out, *empty, *both = NULL;
    Held held;
    Slices of = {0};
    long long windows;
    if (!PyArg_ParseTuple(args, "OOOOLOOO!OO", &starts, &codes, &counts, &band, &windows, &part, &members, &PyTuple_Type,
                          &tuple, &out, &empty) ||
        hold_up_to(&held, 8 + 3 * PyTuple_Size(tuple)) < 0)
        return NULL;
    Py_ssize_t count = PyTuple_Size(tuple);
    Atom *atoms = calloc((size_t)count + 1, sizeof(Atom));
    of.windows = windows;
    int is_sound = atoms && hold_starts(&held, starts, &of.starts, &of.applications) == 0;
    int64_t rows = is_sound ? of.starts[of.applications] : 0;
    is_sound = is_sound && hold_if_any(&held, codes, 'q', rows, "codes", &of.codes) == 0 &&
               hold_counts(&held, counts, &of) == 0 && hold(&held, band, 'q', 0, rows, "band", &of.band) == 0 &&
               hold_if_any(&held, part, 'q', rows, "part", &of.part) == 0 && read_members(&held, members, &of) == 0 &&
               hold_atoms(&held, tuple, rows, atoms) == 0 &&
               hold(&held, out, 'q', 1, of.applications * of.patterns * of.windows + 1, "starts_out", &of.starts_out) == 0;
    if (is_sound && (codes == Py_None) != (counts == Py_None)) {
        PyErr_SetString(PyExc_ValueError, "'codes' and 'counts' belong together");
        is_sound = 0;
    }
    int ended = -1;
    if (is_sound) {
        Py_BEGIN_ALLOW_THREADS
        ended = all_entered(&of);
        Py_END_ALLOW_THREADS
        if (ended == -2)
            PyErr_SetString(PyExc_ValueError, "a row has a code, a band or a part that cannot be");
    }
    if (ended == 0)
        both = filled_arrays(&held, empty, &of, atoms, count);
    else if (!PyErr_Occurred())
        PyErr_NoMemory();
    free(atoms);
    free(of.cell);
    free(of.lanes);
    free(of.cells);
    free(of.keys);
    let_go(&held);
    return both;
}

#endif
