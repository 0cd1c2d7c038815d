/* child: what runs in the process of a filter_child.
 * To the child: frames of a 32-bit length in host order and that many bytes.  The first is the program, the others are lines.
 * From the child: one byte a line, '1' or '0'; before them 'C' when the program has compiled; last, when it cannot go on, 'E' and the reason. */
#ifndef FILTER_CHILD_H
#define FILTER_CHILD_H

void filter_child_main(int fd, size_t memory) __attribute__((noreturn));

#endif
