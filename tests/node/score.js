// Scores rows with a scorecard's ONNX model: node score.js MODEL INPUTS REFUSED ROWS; prints points and PDs as JSON.
// INPUTS are doubles [rows, features], REFUSED bytes of 0 or 1 [rows, categories], both as plain bytes.
import { readFileSync } from "node:fs";
import ort from "onnxruntime-node";

const [model, inputs, refused, count] = process.argv.slice(2);
const rows = Number(count);
const bytes = (path) => new Uint8Array(readFileSync(path));
const doubles = new Float64Array(bytes(inputs).buffer);
const flags = bytes(refused);
const session = await ort.InferenceSession.create(model);
const said = await session.run(
  {
    inputs: new ort.Tensor("float64", doubles, [rows, doubles.length / rows]),
    refused: new ort.Tensor("bool", flags, [rows, flags.length / rows]),
  },
  ["points", "pd"],
);
process.stdout.write(JSON.stringify({ points: [...said.points.data], pd: [...said.pd.data] }));
