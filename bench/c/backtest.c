/*
 * What a C programmer would write for one strategy: long when the fast moving average crosses above the slow one, flat
 * when it crosses below, at the next open, all in, in whole units, with commission and slippage. One pass over the bars
 * with rolling sums keeps the equity, the deepest drawdown and the list of trades with their excursions; a second one
 * takes daily returns and their Sharpe ratio from the equity.
 *
 * backtest <bars.bin> <bars> <rounds> <fast> <slow>; the file has the columns open, high, low, close and close time in
 * epoch ms as doubles. Prints JSON.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CAPITAL 100000.0
#define COMMISSION 0.00001
#define SLIPPAGE 0.000005
#define DAY_MS 86400000.0

typedef struct {
  double entry_price, exit_price, units, gross, commission, slippage, net, favourable, adverse;
  int entry_bar, exit_bar;
} trade;

typedef struct {
  const double *open, *high, *low, *close, *close_time;
  int bars;
} market;

typedef struct {
  double *equity;
  trade *trades;
  int trade_count;
  double final_equity, max_drawdown, sharpe;
} result;

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void leave(trade *t, int bar, double price, double *cash) {
  double value = t->units * price, slippage = value * SLIPPAGE;
  double commission = (value - slippage) * COMMISSION;
  *cash += value - slippage - commission;
  t->exit_price = price;
  t->exit_bar = bar;
  t->commission += commission;
  t->slippage += slippage;
  t->gross = t->units * (price - t->entry_price);
  t->net = t->gross - t->commission - t->slippage;
  t->favourable = t->units * (fmax(t->favourable, price) - t->entry_price);
  t->adverse = t->units * (t->entry_price - fmin(t->adverse, price));
}

static int enter(trade *t, int bar, double price, double *cash) {
  double units = floor(*cash / (price * (1 + SLIPPAGE) * (1 + COMMISSION)));
  if (!(units > 0)) return 0;
  double value = units * price, slippage = value * SLIPPAGE;
  double commission = (value + slippage) * COMMISSION;
  *cash -= value + slippage + commission;
  *t = (trade){.entry_price = price, .units = units, .entry_bar = bar};
  t->commission = commission;
  t->slippage = slippage;
  t->favourable = t->adverse = price;
  return 1;
}

static void trade_all(const market *m, int fast, int slow, result *r) {
  double fast_sum = 0, slow_sum = 0, cash = CAPITAL, peak = CAPITAL, worst = 0;
  int side = 0, held = 0, order = 0, count = 0;
  for (int i = 0; i < m->bars; i++) {
    trade *t = r->trades + count;
    if (order > 0 && !held) held = enter(t, i, m->open[i], &cash);
    if (order < 0 && held) {
      leave(t, i, m->open[i], &cash);
      held = 0;
      count++;
    }
    if (held) {
      if (m->high[i] > t->favourable) t->favourable = m->high[i];
      if (m->low[i] < t->adverse) t->adverse = m->low[i];
    }
    double close = m->close[i];
    fast_sum += close;
    slow_sum += close;
    if (i >= fast) fast_sum -= m->close[i - fast];
    if (i >= slow) slow_sum -= m->close[i - slow];
    order = 0;
    if (i >= slow - 1) {
      double difference = fast_sum / fast - slow_sum / slow;
      int now = difference > 0 ? 1 : difference < 0 ? -1 : 0;
      if (i >= slow) order = now > 0 && side <= 0 ? 1 : now < 0 && side >= 0 ? -1 : 0;
      side = now;
    }
    if (i == m->bars - 1 && held) {
      leave(t, i, close, &cash);
      held = 0;
      count++;
    }
    double equity = cash + (held ? t->units * close : 0);
    if (equity > peak) peak = equity;
    double drawdown = (peak - equity) / peak;
    if (drawdown > worst) worst = drawdown;
    r->equity[i] = equity;
  }
  r->trade_count = count;
  r->max_drawdown = worst;
  r->final_equity = r->equity[m->bars - 1];
}

/* A day is over when the next close lies beyond its midnight. */
static void measure(const market *m, result *r) {
  double last = CAPITAL, sum = 0, squares = 0;
  double midnight = ceil(m->close_time[0] / DAY_MS) * DAY_MS;
  int days = 0;
  for (int i = 0; i < m->bars; i++) {
    if (i + 1 < m->bars) {
      if (m->close_time[i + 1] <= midnight) continue;
      midnight = ceil(m->close_time[i + 1] / DAY_MS) * DAY_MS;
    }
    double change = r->equity[i] / last - 1;
    last = r->equity[i];
    sum += change;
    squares += change * change;
    days++;
  }
  double mean = sum / days;
  r->sharpe = mean / sqrt((squares - days * mean * mean) / (days - 1)) * sqrt(365);
}

static void allocate(result *r, int bars) {
  r->equity = malloc(sizeof(double) * bars);
  r->trades = malloc(sizeof(trade) * (bars / 2 + 1));
}

static double run(const market *m, int fast, int slow, result *r, int is_fresh) {
  double started = now_ms();
  if (is_fresh) allocate(r, m->bars);
  trade_all(m, fast, slow, r);
  measure(m, r);
  return now_ms() - started;
}

static double best_of(const market *m, int fast, int slow, result *r, int rounds, int is_fresh) {
  double best = INFINITY;
  for (int k = 0; k < rounds; k++) {
    best = fmin(best, run(m, fast, slow, r, is_fresh));
    if (is_fresh && k + 1 < rounds) {
      free(r->equity);
      free(r->trades);
    }
  }
  return best;
}

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  int bars = atoi(argv[2]), rounds = atoi(argv[3]), fast = atoi(argv[4]), slow = atoi(argv[5]);
  double *columns = malloc(sizeof(double) * 5 * bars);
  FILE *file = fopen(argv[1], "rb");
  if (!file || fread(columns, sizeof(double), (size_t)5 * bars, file) != (size_t)5 * bars) return 1;
  fclose(file);
  market m = {columns, columns + bars, columns + 2 * bars, columns + 3 * bars, columns + 4 * bars, bars};
  result r = {0};
  double fresh = best_of(&m, fast, slow, &r, rounds, 1);
  double reused = best_of(&m, fast, slow, &r, rounds, 0);
  printf("{\"fresh_ms\":%.6f,\"reused_ms\":%.6f,\"trades\":%d,\"final_equity\":%.17g,\"max_drawdown\":%.17g,\"sharpe\":%.17g}\n",
         fresh, reused, r.trade_count, r.final_equity, r.max_drawdown, r.sharpe);
  return 0;
}
