// Answers a recording with the models of ecg_edge, as the Python package does, but without its quality gate.
// The thresholds of a spec are those of its operating point "balanced"; `operating_points` has the others.
// Every number comes from the JSON files beside the models. Works in Node and in the browser.

/** Detect an infarction and, where there is one, its sites. `leads`: a Float32Array of samples for each lead. */
export async function detect(models, leads) {
  for (const { spec } of [models.infarction, models.localization]) checkLeads(leads, spec);
  const { thresholds, sampling_rate } = models.infarction.spec;
  const { mean } = await answerWindows(models.infarction, leads);
  const detected = mean[0] >= thresholds[0];
  const sites = detected ? await findSites(models.localization, leads) : [];
  return {
    status: detected ? "detected" : "not_detected",
    probability: mean[0],
    threshold: thresholds[0],
    operating_point: "balanced",
    sites,
    duration_s: leads[0].length / sampling_rate,
    quality: "not checked",
  };
}

async function findSites(model, leads) {
  const { labels, thresholds } = model.spec;
  const { mean } = await answerWindows(model, leads);
  return labels.map((site, i) => ({
    site, probability: mean[i], threshold: thresholds[i], found: mean[i] >= thresholds[i],
  }));
}

/** Return the probabilities of each window and their mean; both are empty if `leads` are shorter than a window. */
export async function answerWindows(model, leads) {
  const scores = [];
  for (const [start, stop] of listChunks(leads[0].length, model.spec)) {
    scores.push(...await scoreChunk(model, leads.map((lead) => lead.subarray(start, stop))));
  }
  if (!scores.length) return { windows: [], mean: [] };
  const toProbability = model.spec.average === "logit" ? (logit) => 1 / (1 + Math.exp(-logit)) : (score) => score;
  const sums = model.spec.labels.map((_, i) => scores.reduce((sum, row) => sum + row[i], 0));
  return {
    windows: scores.map((row) => Array.from(row, toProbability)),
    mean: sums.map((sum) => toProbability(sum / scores.length)),
  };
}

/** Yield the first sample of each chunk and one past its last. A model answers the windows of one chunk in one call. */
export function* listChunks(samples, { window, stride, windows_per_call: most, tail, whole_length }) {
  if (samples < window) return;
  if (samples === whole_length) return yield [0, samples];
  const after = samples - window;
  const dropped = tail === "dropped"; // A window counts only if a sample follows it.
  const regular = dropped ? Math.max(1, Math.ceil(after / stride)) : 1 + Math.floor(after / stride);
  for (let first = 0; first < regular; first += most) {
    const last = Math.min(first + most, regular) - 1;
    yield [first * stride, Math.min(last * stride + window + (dropped ? 1 : 0), samples)];
  }
  if (!dropped && after % stride) yield [after, samples]; // One more window, which ends at the last sample.
}

async function scoreChunk({ ort, spec, session }, leads) {
  const samples = leads[0].length;
  const ecg = new Float32Array(leads.length * samples);
  leads.forEach((lead, i) => ecg.set(lead, i * samples));
  const input = new ort.Tensor("float32", ecg, [1, leads.length, samples]);
  const { data, dims } = (await session.run({ [spec.input]: input }, [spec.output]))[spec.output];
  return Array.from({ length: dims[1] }, (_, i) => data.subarray(i * dims[2], (i + 1) * dims[2]));
}

function checkLeads(leads, { leads: names, window, unit }) {
  if (leads.length !== names.length) throw new Error(`found ${leads.length} leads, expected ${names.join(", ")}`);
  const samples = leads[0].length;
  if (samples < window) throw new Error(`found ${samples} samples, expected ${window} or more`);
  if (leads.some((lead) => lead.length !== samples)) throw new Error("the leads have different numbers of samples");
  if (!leads.every((lead) => lead.every(Number.isFinite))) throw new Error(`a sample is not a number of ${unit}`);
}
