/** A worker that posts at an interval. Browsers slow the timers of hidden pages, but not these. */

let timer = 0;

self.onmessage = (event) => {
  clearInterval(timer);
  if (event.data > 0) timer = self.setInterval(() => self.postMessage(null), event.data);
};
