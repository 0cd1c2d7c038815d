/* log: one line on stderr per message, "dt-store: warning: text", and the only way to exit on an error.
 * Control characters and bytes that are not UTF-8 text come out escaped, so that no input forges a line.
 * Each message text (format string) may be printed 100 times a second; what is over is counted and said
 * once in a line "suppressed N …".  LOG_LEVEL (debug, info, warning, error) of the environment is read by log_open. */
#ifndef LOG_H
#define LOG_H

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

void log_open(const char *program);          /* borrows the name for the process's life */
const char *log_program(void);
void log_level_set(enum log_level level);    /* for good: what an option says comes before all settings */
void log_level_fall_back(enum log_level level);                 /* unless log_level_set has chosen one */
int log_level_parse(const char *name, enum log_level *level);   /* 0, or -1: no such level */

void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_err(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints "program: fatal: text" and exits with a code of sysexits(3). */
void die(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3), noreturn));

#endif
