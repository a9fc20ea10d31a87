/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers, PCI addresses and bytes as text. */
#include "number.h"

#include <string.h>

int digit_parse(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return NO_DIGIT;
}

static bool suffix(char c, uint64_t *factor)
{
    static const char suffixes[] = "KMG";
    const char *at = c ? strchr(suffixes, c) : NULL;

    if (at)
        *factor = (uint64_t)1 << (10 * (at - suffixes + 1));
    return at;
}

bool number_parse(const char *text, size_t n, uint64_t *out, bool *overflow)
{
    uint64_t factor = 1, number = 0;
    int base = 10;
    size_t i = 0;

    *overflow = false;
    if (n > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        i = 2;
    }
    if (n && suffix(text[n - 1], &factor))
        n--;
    if (i >= n)
        return false;
    for (; i < n; i++) {
        int d = digit_parse(text[i]);

        if (d >= base)
            return false;
        *overflow |= __builtin_mul_overflow(number, (uint64_t)base, &number);
        *overflow |= __builtin_add_overflow(number, (uint64_t)d, &number);
    }
    *overflow |= __builtin_mul_overflow(number, factor, &number);
    *out = number;
    return !*overflow;
}

/* Hexadecimal digits, at most `max`, up to the character `end`; *text moves behind it. */
static bool part(const char **text, unsigned max, char end, uint32_t *out)
{
    unsigned n = 0;

    for (*out = 0; digit_parse((*text)[n]) < 16; n++) {
        if (n == max)
            return false;
        *out = *out << 4 | (uint32_t)digit_parse((*text)[n]);
    }
    if (n == 0 || (*text)[n] != end)
        return false;
    *text += n + (end != '\0');
    return true;
}

bool bdf_parse(const char *text, uint32_t *out)
{
    const char *first = strchr(text, ':');
    uint32_t seg = 0, bus, dev, fn;

    if (first && strchr(first + 1, ':') && !part(&text, 4, ':', &seg))
        return false;
    if (!part(&text, 2, ':', &bus) || !part(&text, 2, '.', &dev) || !part(&text, 1, '\0', &fn))
        return false;
    if (dev > 31 || fn > 7)
        return false;
    *out = seg << 16 | bus << 8 | dev << 3 | fn;
    return true;
}

bool hex_parse(const char *text, uint8_t *to, size_t *nr)
{
    size_t n = strlen(text);

    if (n == 0 || n % 2)
        return false;
    for (size_t i = 0; i < n; i += 2) {
        if (digit_parse(text[i]) > 15 || digit_parse(text[i + 1]) > 15)
            return false;
        to[i / 2] = (uint8_t)(digit_parse(text[i]) << 4 | digit_parse(text[i + 1]));
    }
    *nr = n / 2;
    return true;
}
