/** Samples over time, of each instance. Pure. */

/** Samples that are kept, of each instance. */
const KEPT = 60;

/**
 * Add a sample to those of its instance.
 * @param {Record<string, any[]>} series
 * @param {any} sample
 */
export function appended(series, sample) {
  const former = series[sample.worker_id] ?? [];
  // An instance that was restarted counts from zero.
  const isRestarted = former.length > 0 && sample.requests < former[former.length - 1].requests;
  const kept = isRestarted ? [] : former.slice(1 - KEPT);
  return {...series, [sample.worker_id]: [...kept, sample]};
}

/**
 * Return the increases of a count for each second between samples.
 * @param {any[]} samples
 * @param {string} name
 * @returns {number[]}
 */
export const rates = (samples, name) =>
  samples.slice(1).map((sample, at) => {
    const seconds = (Date.parse(sample.at) - Date.parse(samples[at].at)) / 1000;
    return seconds > 0 ? (sample[name] - samples[at][name]) / seconds : 0;
  });
