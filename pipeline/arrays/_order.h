/* Which values are the same in each segment, and in which order they are.
 *
 * Segment s is rows starts[s] to starts[s + 1]. Who calls has checked that `starts` ascends from 0, and every length.
 */
#ifndef PIPELINE_ORDER_H
#define PIPELINE_ORDER_H
#include "_totals.h"

/* ---- which values are the same ---- */

#define FIRST_BITS 6

typedef struct {
    int64_t value, code;
} Slot;

typedef struct {
    Slot *slots;
    int bits, most; /* what is in use, and what there is space for */
} Table;

static inline Slot *slot_of(const Table *table, int64_t value)
{
    uint64_t mixed = (uint64_t)value ^ ((uint64_t)value >> 32), last = ((uint64_t)1 << table->bits) - 1;
    uint64_t at = (mixed * 0x9E3779B97F4A7C15u) >> (64 - table->bits);
    while (table->slots[at].code >= 0 && table->slots[at].value != value)
        at = (at + 1) & last;
    return &table->slots[at];
}

/* An empty table of 2^bits; -1 when there is no space for it. */
static int cleared(Table *table, int bits)
{
    int64_t size = (int64_t)1 << bits;
    if (bits > table->most) {
        free(table->slots);
        table->most = 0;
        table->slots = space(size, sizeof(Slot));
        if (!table->slots)
            return -1;
        table->most = bits;
    }
    table->bits = bits;
    for (int64_t at = 0; at < size; at++)
        table->slots[at].code = -1;
    return 0;
}

/* Codes of one segment, and the rows `firsts` that were first to have them; how many, or -1 without space. Segments are
 * often alike: there is room at first for as many as are expected. */
static int64_t coded(Table *table, const int64_t *values, int64_t row, int64_t end, int64_t *codes, int64_t *firsts,
                     int64_t expected)
{
    int64_t count = 0;
    int bits = FIRST_BITS;
    while (((int64_t)1 << bits) < 2 * expected)
        bits++;
    if (cleared(table, bits) < 0)
        return -1;
    for (; row < end; row++) {
        Slot *slot = slot_of(table, values[row]);
        if (slot->code >= 0) {
            codes[row] = slot->code;
            continue;
        }
        slot->value = values[row];
        firsts[count] = row;
        codes[row] = slot->code = count++;
        if (count << 1 <= (int64_t)1 << table->bits)
            continue;
        if (cleared(table, table->bits + 2) < 0)
            return -1;
        for (int64_t code = 0; code < count; code++) {
            slot = slot_of(table, values[firsts[code]]);
            slot->value = values[firsts[code]];
            slot->code = code;
        }
    }
    return count;
}

/* How many are distinct in all segments together, or -1 without space. */
static int64_t factorised(const int64_t *starts, int64_t segments, const int64_t *values, int64_t *codes,
                          int64_t *counts, int64_t *firsts)
{
    Table table = {NULL, 0, 0};
    int64_t total = 0;
    for (int64_t s = 0; s < segments && total >= 0; s++) {
        int64_t length = starts[s + 1] - starts[s], last = s ? counts[s - 1] : 0;
        counts[s] = coded(&table, values, starts[s], starts[s + 1], codes, firsts + total, last < length ? last : length);
        total = counts[s] < 0 ? -1 : total + counts[s];
    }
    free(table.slots);
    return total;
}

/* ---- their order ---- */

#define DIGITS_FROM 64 /* rows that are worth sorting digit by digit */
#define DIGITS_MOST 6  /* digits, of 8 bits, up to which that is faster */

typedef struct {
    const int64_t **columns;
    int64_t count;
} Columns;

typedef struct {
    int64_t value, row; /* the value in the first column */
} Pair;

static inline int rest_before(const Columns *by, int64_t from, int64_t row, int64_t other)
{
    for (int64_t c = from; c < by->count; c++)
        if (by->columns[c][row] != by->columns[c][other])
            return by->columns[c][row] < by->columns[c][other];
    return 0;
}

static inline int before(const Columns *by, Pair one, Pair other)
{
    if (one.value == other.value)
        return rest_before(by, 1, one.row, other.row);
    return one.value < other.value;
}

static int in_order(const Columns *by, int64_t from, int64_t row, int64_t end)
{
    for (row++; row < end; row++)
        if (rest_before(by, from, row, row - 1))
            return 0;
    return 1;
}

/* How many of the first columns rows must be sorted by: they are in order of the rest. */
static int64_t unsorted(const Columns *by, int64_t row, int64_t end)
{
    int64_t count = 0;
    while (count < by->count && !in_order(by, count, row, end))
        count++;
    return count;
}

static void inserted(const Columns *by, Pair *pairs, int64_t count)
{
    for (int64_t i = 1; i < count; i++) {
        Pair pair = pairs[i];
        int64_t to = i;
        for (; to > 0 && before(by, pair, pairs[to - 1]); to--)
            pairs[to] = pairs[to - 1];
        pairs[to] = pair;
    }
}

static void merged(const Columns *by, Pair *pairs, int64_t middle, int64_t count, Pair *spare)
{
    int64_t left = 0, right = middle, to = 0;
    memcpy(spare, pairs, (size_t)middle * sizeof(Pair));
    while (left < middle && right < count)
        pairs[to++] = before(by, pairs[right], spare[left]) ? pairs[right++] : spare[left++];
    memcpy(pairs + to, spare + left, (size_t)(middle - left) * sizeof(Pair));
}

/* Sorts the rows in `order` by comparing them; halves that are in order are left alone. */
static void compared_in_order(const Columns *by, int64_t *order, int64_t count, Pair *pairs)
{
    for (int64_t i = 0; i < count; i++)
        pairs[i] = (Pair){by->columns[0][order[i]], order[i]};
    for (int64_t at = 0; at < count; at += SMALL)
        inserted(by, pairs + at, count - at < SMALL ? count - at : SMALL);
    for (int64_t width = SMALL; width < count; width *= 2)
        for (int64_t at = 0; at + width < count; at += 2 * width)
            if (before(by, pairs[at + width], pairs[at + width - 1]))
                merged(by, pairs + at, width, count - at < 2 * width ? count - at : 2 * width, pairs + count);
    for (int64_t i = 0; i < count; i++)
        order[i] = pairs[i].row;
}

/* The least value of rows next to each other, and how many digits the others are from it. */
static int digits_of(const int64_t *column, int64_t row, int64_t count, int64_t *least)
{
    int64_t low = column[row], high = low;
    for (int64_t i = row + 1; i < row + count; i++) {
        low = column[i] < low ? column[i] : low;
        high = column[i] > high ? column[i] : high;
    }
    int digits = 0;
    for (uint64_t range = (uint64_t)high - (uint64_t)low; range; range >>= 8)
        digits++;
    *least = low;
    return digits;
}

/* Sorts the rows in `order` by one digit of a column. */
static void by_digit(const int64_t *column, int64_t least, int shift, int64_t *order, int64_t count, int64_t *spare)
{
    int64_t at[256] = {0}, sum = 0;
    memcpy(spare, order, (size_t)count * sizeof(int64_t));
    for (int64_t i = 0; i < count; i++)
        at[((uint64_t)column[spare[i]] - (uint64_t)least) >> shift & 255]++;
    for (int digit = 0; digit < 256; digit++) {
        int64_t here = at[digit];
        at[digit] = sum;
        sum += here;
    }
    for (int64_t i = 0; i < count; i++)
        order[at[((uint64_t)column[spare[i]] - (uint64_t)least) >> shift & 255]++] = spare[i];
}

/* Sorts rows next to each other digit by digit, the last column first; 0 if there would be too many digits. */
static int digits_in_order(const Columns *by, int64_t *order, int64_t count, int64_t *spare)
{
    int64_t row = order[0], least;
    int total = 0;
    for (int64_t c = 0; c < by->count && total <= DIGITS_MOST; c++)
        total += digits_of(by->columns[c], row, count, &least);
    if (total > DIGITS_MOST)
        return 0;
    for (int64_t c = by->count - 1; c >= 0; c--) {
        int digits = digits_of(by->columns[c], row, count, &least);
        for (int digit = 0; digit < digits; digit++)
            by_digit(by->columns[c], least, 8 * digit, order, count, spare);
    }
    return 1;
}

/* The rows of each segment in ascending order, equal ones as they were; -1 without space. */
static int put_in_order(const int64_t *starts, int64_t segments, const Columns *by, int64_t *order)
{
    Pair *spare = space(longest(starts, segments), 2 * sizeof(Pair));
    if (!spare)
        return -1;
    for (int64_t s = 0; s < segments; s++) {
        int64_t row = starts[s], count = starts[s + 1] - row;
        const Columns some = {by->columns, unsorted(by, row, row + count)};
        for (int64_t i = row; i < row + count; i++)
            order[i] = i;
        if (some.count == 0)
            continue;
        if (count < DIGITS_FROM || !digits_in_order(&some, order + row, count, (int64_t *)spare))
            compared_in_order(&some, order + row, count, spare);
    }
    free(spare);
    return 0;
}

#endif
