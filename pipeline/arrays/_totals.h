/* What rows come to in each segment, and their medians.
 *
 * Segment s is rows starts[s] to starts[s + 1]. Who calls has checked that `starts` ascends from 0, and every length.
 */
#ifndef PIPELINE_TOTALS_H
#define PIPELINE_TOTALS_H
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SMALL 16 /* rows that are sorted one by one */

enum { COUNT, SUM, MIN, MAX, OPS };

/* Space for so many of so many bytes; NULL when there is not as much. */
static void *space(int64_t count, int64_t width)
{
    if (count < 0 || count >= PTRDIFF_MAX / width)
        return NULL;
    return malloc((size_t)((count + 1) * width));
}

static int64_t longest(const int64_t *starts, int64_t segments)
{
    int64_t most = 0;
    for (int64_t s = 0; s < segments; s++)
        if (starts[s + 1] - starts[s] > most)
            most = starts[s + 1] - starts[s];
    return most;
}

/* ---- what they come to ---- */

static inline int64_t nothing(int op)
{
    return op == MIN ? INT64_MAX : op == MAX ? INT64_MIN : 0;
}

/* One of the four, over what the mask lets through: it is asked without a branch, since masks are hard to foretell. */
static inline int64_t with(int op, int64_t sum, int64_t value, int is_in)
{
    int64_t other = nothing(op) ^ ((value ^ nothing(op)) & -(int64_t)is_in);
    if (op == COUNT)
        return sum + is_in;
    if (op == SUM)
        return (int64_t)((uint64_t)sum + (uint64_t)(value & -(int64_t)is_in));
    if (op == MIN)
        return other < sum ? other : sum;
    return other > sum ? other : sum;
}

#define OVER(op, value, is_in)                                       \
    for (int64_t s = 0; s < segments; s++) {                         \
        int64_t sum = nothing(op);                                   \
        for (int64_t row = starts[s]; row < starts[s + 1]; row++)    \
            sum = with(op, sum, value, is_in);                       \
        out[s] = sum;                                                \
    }
#define OVER_ALL_OR_SOME(op, value)      \
    if (mask)                            \
        OVER(op, value, mask[row] != 0)  \
    else                                 \
        OVER(op, value, 1)

static void reduce(const int64_t *starts, int64_t segments, int op, const int64_t *values, const uint8_t *mask,
                   int64_t *out)
{
    if (op == COUNT)
        OVER_ALL_OR_SOME(COUNT, 0)
    else if (op == SUM)
        OVER_ALL_OR_SOME(SUM, values[row])
    else if (op == MIN)
        OVER_ALL_OR_SOME(MIN, values[row])
    else
        OVER_ALL_OR_SOME(MAX, values[row])
}

/* ---- their medians ---- */

#define ROUNDS 64

/* Puts what is below the pivot, or with it, first; how many that are. */
static int64_t parted(int64_t *values, int64_t count, int64_t pivot, int with_pivot)
{
    int64_t below = 0;
    for (int64_t i = 0; i < count; i++) {
        int64_t value = values[i];
        values[i] = values[below];
        values[below] = value;
        below += with_pivot ? value <= pivot : value < pivot;
    }
    return below;
}

static int64_t middle_of(int64_t a, int64_t b, int64_t c)
{
    int64_t low = a < b ? a : b, high = a < b ? b : a;
    return c < low ? low : c > high ? high : c;
}

static int compared(const void *one, const void *other)
{
    int64_t a = *(const int64_t *)one, b = *(const int64_t *)other;
    return (a > b) - (a < b);
}

/* The value that would be at `at` if they were in order; none before it is larger then. Rounds that part badly end in
 * a sort, so that no order of values makes it slow. */
static int64_t selected(int64_t *values, int64_t count, int64_t at)
{
    int64_t low = 0;
    for (int round = 0; round < ROUNDS && count - low > SMALL; round++) {
        int64_t pivot = middle_of(values[low], values[low + (count - low) / 2], values[count - 1]);
        int64_t below = low + parted(values + low, count - low, pivot, 0);
        if (at < below) {
            count = below;
            continue;
        }
        low = below + parted(values + below, count - below, pivot, 1);
        if (at < low)
            return pivot;
    }
    qsort(values + low, (size_t)(count - low), sizeof(int64_t), compared);
    return values[at];
}

static double median_of(int64_t *values, int64_t count)
{
    int64_t half = count / 2, high = selected(values, count, half), low = high;
    if (count % 2 == 0) {
        low = values[0];
        for (int64_t i = 1; i < half; i++)
            low = values[i] > low ? values[i] : low;
    }
    return (double)low * 0.5 + (double)high * 0.5;
}

static int take_medians(const int64_t *starts, int64_t segments, const int64_t *values, const uint8_t *mask,
                        double *out, uint8_t *found)
{
    int64_t *some = space(longest(starts, segments), sizeof(int64_t));
    if (!some)
        return -1;
    for (int64_t s = 0; s < segments; s++) {
        int64_t count = 0;
        for (int64_t row = starts[s]; row < starts[s + 1]; row++) {
            some[count] = values[row];
            count += mask ? mask[row] != 0 : 1;
        }
        found[s] = count > 0;
        out[s] = count ? median_of(some, count) : 0.0;
    }
    free(some);
    return 0;
}

#endif
