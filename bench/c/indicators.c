/*
 * Times six functions of TA-Lib over bars from a file.
 * Arguments: the file (high, low and close, one column after the other, as doubles of this machine), how many bars, rounds.
 * Prints JSON: per function the best of the rounds, into new memory each time (fresh_ms) and into the same (reused_ms),
 * and the last value of its first output.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ta_libc.h"

static const double *high, *low, *close_;
static int bars;

/* Where a function writes, and how much. */
static double *columns[3];
static int begin, count;

static void sma(void) { TA_SMA(0, bars - 1, close_, 20, &begin, &count, columns[0]); }
static void ema(void) { TA_EMA(0, bars - 1, close_, 20, &begin, &count, columns[0]); }
static void rsi(void) { TA_RSI(0, bars - 1, close_, 14, &begin, &count, columns[0]); }
static void atr(void) { TA_ATR(0, bars - 1, high, low, close_, 14, &begin, &count, columns[0]); }

static void macd(void) {
  TA_MACD(0, bars - 1, close_, 12, 26, 9, &begin, &count, columns[0], columns[1], columns[2]);
}

static void bollinger_bands(void) {
  TA_BBANDS(0, bars - 1, close_, 20, 2, 2, TA_MAType_SMA, &begin, &count, columns[0], columns[1], columns[2]);
}

static const struct {
  const char *type;
  int outputs;
  void (*run)(void);
} functions[] = {
  {"sma", 1, sma}, {"ema", 1, ema},   {"rsi", 1, rsi},
  {"atr", 1, atr}, {"macd", 3, macd}, {"bollinger_bands", 3, bollinger_bands},
};

static double now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static double *new_column(void) {
  double *column = malloc(bars * sizeof(double));
  if (column == NULL) exit(3);
  return column;
}

static void allocate(int outputs) {
  for (int i = 0; i < outputs; i++) columns[i] = new_column();
}

static void release(int outputs) {
  for (int i = 0; i < outputs; i++) free(columns[i]);
}

/* Best of the rounds; freeing is not counted, as the garbage collector is not. */
static double best_fresh(int index, int rounds) {
  double best = 1e300;
  for (int round = 0; round < rounds; round++) {
    double started = now_ms();
    allocate(functions[index].outputs);
    functions[index].run();
    double elapsed = now_ms() - started;
    release(functions[index].outputs);
    if (elapsed < best) best = elapsed;
  }
  return best;
}

/* The memory is that of the caller, touched before. */
static double best_reused(int index, int rounds) {
  double best = 1e300;
  functions[index].run();
  for (int round = 0; round < rounds; round++) {
    double started = now_ms();
    functions[index].run();
    double elapsed = now_ms() - started;
    if (elapsed < best) best = elapsed;
  }
  return best;
}

static const double *read_column(FILE *file) {
  double *column = new_column();
  if (fread(column, sizeof(double), bars, file) != (size_t)bars) exit(4);
  return column;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  bars = atoi(argv[2]);
  int rounds = atoi(argv[3]);
  FILE *file = fopen(argv[1], "rb");
  if (file == NULL) return 4;
  high = read_column(file);
  low = read_column(file);
  close_ = read_column(file);
  fclose(file);
  TA_Initialize();
  int length = sizeof functions / sizeof functions[0];
  printf("[");
  for (int i = 0; i < length; i++) {
    double fresh = best_fresh(i, rounds);
    allocate(functions[i].outputs);
    double reused = best_reused(i, rounds);
    printf("%s{\"type\":\"%s\",\"fresh_ms\":%.6f,\"reused_ms\":%.6f,\"last\":%.17g}", i == 0 ? "" : ",",
           functions[i].type, fresh, reused, columns[0][count - 1]);
    release(functions[i].outputs);
  }
  printf("]\n");
  return 0;
}
