/* What rows come to in many slices at once: for each application, union of parts, window and key.
 *
 * A row is added up once for each atom, in the cell of its part, its band and its key. Windows then follow from bands by
 * running totals, and unions of parts from each other, over all keys at once: a plane is the cells [windows, keys] of one
 * part or union.
 */
#ifndef PIPELINE_SLICES_H
#define PIPELINE_SLICES_H
#include "_totals.h"

#define PARTS 8
#define PATTERNS_MAX 32
#define PLANES_MAX (PARTS + 1 + PATTERNS_MAX * PARTS)
#define WINDOWS_MAX 65536
#define CELLS_MAX INT32_MAX
#define LANES 4

typedef struct {
    int op;
    const int64_t *values;
    const uint8_t *mask;
    int64_t *out;
} Atom;

typedef struct {
    int plane, one, other;
} Union;

typedef struct {
    const int64_t *starts, *codes, *counts, *band, *part;
    int64_t applications, windows, patterns;
    int members[PATTERNS_MAX], plane_of[PATTERNS_MAX]; /* a bit for each part, and the plane with what they come to */
    int sets[PLANES_MAX], filled, planes; /* the first `filled` planes are added up from rows, or stay empty */
    Union unions[PLANES_MAX];
    int64_t widest;  /* cells of the application with most of them */
    uint32_t *cell;  /* [rows] */
    uint8_t *lanes;  /* [applications] */
    int64_t *cells;  /* space for all planes of one application */
    int64_t *starts_out, *keys, entries, room;
} Slices;

/* ---- how unions of parts follow from each other ---- */

static int known(const Slices *of, int set)
{
    for (int plane = 0; plane < of->planes; plane++)
        if (of->sets[plane] == set)
            return plane;
    return -1;
}

/* The plane of a set of parts: what is made already of most of it, and then of the rest. */
static int united(Slices *of, int set)
{
    int plane = known(of, set), best = 0;
    if (plane >= 0)
        return plane;
    for (int i = 0; i < of->planes; i++) {
        int sizes[2] = {0, 0};
        for (int part = 0; part < PARTS; part++) {
            sizes[0] += of->sets[i] >> part & 1;
            sizes[1] += of->sets[best] >> part & 1;
        }
        if ((of->sets[i] & ~set) == 0 && ((of->sets[best] & ~set) != 0 || sizes[0] > sizes[1]))
            best = i;
    }
    int rest = united(of, set & ~of->sets[best]);
    of->sets[of->planes] = set;
    of->unions[of->planes] = (Union){of->planes, best, rest};
    return of->planes++;
}

static void planned(Slices *of)
{
    int parts = 0;
    for (int64_t p = 0; p < of->patterns; p++)
        parts |= of->members[p];
    of->planes = 0;
    for (int part = 0; part < PARTS; part++)
        if (parts >> part & 1)
            of->sets[of->planes++] = 1 << part;
    for (int64_t p = 0; p < of->patterns; p++)
        if (of->members[p] == 0 && known(of, 0) < 0)
            of->sets[of->planes++] = 0;
    of->filled = of->planes;
    for (int size = 1; size <= PARTS; size++)  /* small ones first: others are made of them */
        for (int64_t p = 0; p < of->patterns; p++) {
            int has = 0;
            for (int part = 0; part < PARTS; part++)
                has += of->members[p] >> part & 1;
            if (has == size || (has == 0 && size == 1))
                of->plane_of[p] = united(of, of->members[p]);
        }
}

/* ---- one application ---- */

static int64_t keys_of(const Slices *of, int64_t application)
{
    return of->counts ? of->counts[application] : 1;
}

/* The cell of each row; rows in no slice go where nobody looks. 0 if a row has a code, band or part that cannot be. */
static int placed(const Slices *of, int64_t application)
{
    int64_t plane[PARTS], keys = keys_of(of, application), cells = keys * of->windows, nowhere = cells * of->filled;
    int64_t first = of->starts[application], end = of->starts[application + 1], wrong = 0;
    /* Rows one after another are often in the same cell, and each must wait for the last: few cells are kept apart. */
    int lanes = (nowhere + 1) * LANES * 4 <= end - first ? LANES : 1;
    of->lanes[application] = (uint8_t)lanes;
    for (int part = 0; part < PARTS; part++) {
        int at = known(of, 1 << part);
        plane[part] = at < 0 ? nowhere : at * cells;
    }
    for (int64_t row = first; row < end; row++) {
        int64_t code = of->codes ? of->codes[row] : 0, part = of->part ? of->part[row] : 0, band = of->band[row];
        int64_t is_wrong = code < 0 || code >= keys || part < 0 || part >= PARTS || band < 0;
        int64_t base = plane[part & (PARTS - 1)];
        int is_in = !is_wrong && base < nowhere && band < of->windows;
        int64_t cell = is_in ? base + band * keys + code : nowhere;
        wrong |= is_wrong;
        of->cell[row] = (uint32_t)(cell + (row & (lanes - 1)) * (nowhere + 1));
    }
    return !wrong;
}

#define INTO_CELLS(op, value, is_in)                                           \
    for (int64_t row = first; row < end; row++)                                \
        cells[where[row]] = with(op, cells[where[row]], value, is_in);
#define INTO_CELLS_ALL_OR_SOME(op, value)      \
    if (mask)                                  \
        INTO_CELLS(op, value, mask[row] != 0)  \
    else                                       \
        INTO_CELLS(op, value, 1)

static void added_up(const Slices *of, int64_t application, const Atom *atom)
{
    int64_t first = of->starts[application], end = of->starts[application + 1], *cells = of->cells;
    const uint32_t *where = of->cell;
    const uint8_t *mask = atom->mask;
    const int64_t *values = atom->values;
    if (atom->op == COUNT)
        INTO_CELLS_ALL_OR_SOME(COUNT, 0)
    else if (atom->op == SUM)
        INTO_CELLS_ALL_OR_SOME(SUM, values[row])
    else if (atom->op == MIN)
        INTO_CELLS_ALL_OR_SOME(MIN, values[row])
    else
        INTO_CELLS_ALL_OR_SOME(MAX, values[row])
}

/* out[i] = one[i] and other[i] together. */
static void together(int op, int64_t *out, const int64_t *one, const int64_t *other, int64_t count)
{
    if (op == COUNT || op == SUM)
        for (int64_t i = 0; i < count; i++)
            out[i] = with(SUM, one[i], other[i], 1);
    else if (op == MIN)
        for (int64_t i = 0; i < count; i++)
            out[i] = with(MIN, one[i], other[i], 1);
    else
        for (int64_t i = 0; i < count; i++)
            out[i] = with(MAX, one[i], other[i], 1);
}

/* Every plane of one application, for one atom. */
static void made(const Slices *of, int64_t application, const Atom *atom)
{
    int64_t keys = keys_of(of, application), width = keys * of->windows, lane = width * of->filled + 1, *cells = of->cells;
    int lanes = of->lanes[application];
    for (int64_t i = 0, empty = nothing(atom->op); i < lane * lanes; i++)
        cells[i] = empty;
    added_up(of, application, atom);
    for (int i = 1; i < lanes; i++)
        together(atom->op, cells, cells, cells + i * lane, lane - 1);
    for (int plane = 0; plane < of->filled; plane++)
        for (int64_t at = plane * width + keys; at < (plane + 1) * width; at += keys)
            together(atom->op, cells + at, cells + at, cells + at - keys, keys);
    for (int plane = of->filled; plane < of->planes; plane++) {
        const Union *by = &of->unions[plane];
        together(atom->op, cells + plane * width, cells + by->one * width, cells + by->other * width, width);
    }
}

/* ---- all applications ---- */

/* Entries of one application, in order of slices and keys; -1 without space. */
static int entered(Slices *of, int64_t application, int64_t base)
{
    const Atom rows = {COUNT, NULL, NULL, NULL};
    int64_t keys = keys_of(of, application), slices = of->patterns * of->windows, most = of->entries + slices * keys;
    if (most > of->room) {
        int64_t room = most + most / 2, *more = NULL;
        if (room < PTRDIFF_MAX / 8)
            more = realloc(of->keys, (size_t)room * 8);
        if (!more)
            return -1;
        of->keys = more;
        of->room = room;
    }
    made(of, application, &rows);
    int64_t entries = of->entries, *starts_out = of->starts_out + application * slices;
    for (int64_t p = 0; p < of->patterns; p++)
        for (int64_t w = 0; w < of->windows; w++) {
            const int64_t *cells = of->cells + (of->plane_of[p] * of->windows + w) * keys;
            *starts_out++ = entries;
            for (int64_t key = 0; key < keys; key++) {
                of->keys[entries] = base + key;
                entries += !of->codes || cells[key] > 0;
            }
        }
    of->entries = entries;
    return 0;
}

/* What an atom comes to in the entries of one application. */
static void filled_in(const Slices *of, int64_t application, int64_t base, const Atom *atom)
{
    int64_t keys = keys_of(of, application), slices = of->patterns * of->windows;
    const int64_t *starts = of->starts_out + application * slices;
    made(of, application, atom);
    for (int64_t p = 0; p < of->patterns; p++)
        for (int64_t w = 0; w < of->windows; w++, starts++) {
            const int64_t *cells = of->cells + (of->plane_of[p] * of->windows + w) * keys;
            if (starts[1] - starts[0] == keys)
                memcpy(atom->out + starts[0], cells, (size_t)keys * sizeof(int64_t));
            else
                for (int64_t entry = starts[0]; entry < starts[1]; entry++)
                    atom->out[entry] = cells[of->keys[entry] - base];
        }
}

/* Entries of all applications: 0, -1 without space, -2 if a row has a code, band or part that cannot be. */
static int all_entered(Slices *of)
{
    int64_t base = 0, rows = of->starts[of->applications], width = of->widest * of->windows;
    planned(of);
    if (width * of->planes >= CELLS_MAX)
        return -1;
    of->cell = space(rows, sizeof(uint32_t));
    of->lanes = space(of->applications, 1);
    of->cells = space(width * of->planes + 1 + longest(of->starts, of->applications), sizeof(int64_t));
    if (!of->cell || !of->lanes || !of->cells)
        return -1;
    for (int64_t application = 0; application < of->applications; application++) {
        if (!placed(of, application))
            return -2;
        if (entered(of, application, base) < 0)
            return -1;
        base += keys_of(of, application);
    }
    of->starts_out[of->applications * of->patterns * of->windows] = of->entries;
    return 0;
}

static void all_filled_in(const Slices *of, const Atom *atoms, int64_t count)
{
    int64_t base = 0;
    for (int64_t application = 0; application < of->applications; application++) {
        for (int64_t i = 0; i < count; i++)
            filled_in(of, application, base, &atoms[i]);
        base += keys_of(of, application);
    }
}

#endif
