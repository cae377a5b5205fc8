import type * as TensorFlow from "@tensorflow/tfjs";
import type { Expression } from "./expression.ts";

export type Tf = typeof TensorFlow;
export type Tensor = TensorFlow.Tensor;

/**
 * The tensor of an expression, from those of its inputs, by operations that TensorFlow.js can derive.
 *
 * @param feeds values of inputs by their names
 */
export const computed = (
  tf: Tf,
  { operation, shape }: Expression,
  tensors: readonly Tensor[],
  feeds: ReadonlyMap<string, Float32Array>,
): Tensor => {
  const [first, second] = tensors as [Tensor, Tensor];
  // Gradients of these operations do not sum over what was repeated, so it is repeated before.
  const repeated = (tensor: Tensor, size: readonly number[]): Tensor =>
    String(tensor.shape) === String(size) ? tensor : tf.broadcastTo(tensor, [...size]);
  switch (operation.kind) {
    case "input":
      return tf.tensor(feeds.get(operation.name) as Float32Array, [...shape]);
    case "constant":
      return tf.tensor(operation.data, [...shape]);
    case "add":
      return tf.add(first, second);
    case "subtract":
      return tf.sub(first, second);
    case "multiply":
      return tf.mul(first, second);
    case "divide":
      return tf.div(first, second);
    case "minimum":
      return tf.minimum(repeated(first, shape), repeated(second, shape));
    case "maximum":
      return tf.maximum(repeated(first, shape), repeated(second, shape));
    case "atMost":
      return tf.cast(tf.lessEqual(first, second), "float32");
    case "above":
      return tf.cast(tf.greater(first, second), "float32");
    case "relu":
      return tf.relu(first);
    case "tanh":
      return tf.tanh(first);
    case "squareRoot":
      return tf.sqrt(first);
    case "stop":
      return tf.clone(first);
    case "matmul": {
      const matrices = (tensor: Tensor): Tensor => repeated(tensor, [...shape.slice(0, -2), ...tensor.shape.slice(-2)]);
      return tf.matMul(matrices(first), matrices(second), operation.transposeLeft, operation.transposeRight);
    }
    case "sum":
      return tf.sum(first, [...operation.axes], true);
    case "largest":
      return tf.max(first, operation.axis);
    case "reshape":
      return tf.reshape(first, [...shape]);
    case "broadcast":
      return tf.broadcastTo(first, [...shape]);
    case "concat":
      return tf.concat([...tensors], operation.axis);
    case "slice": {
      const begin = shape.map((_, axis) => (axis === operation.axis ? operation.start : 0));
      return tf.slice(first, begin, [...shape]);
    }
    case "pad": {
      const { axis, before, after } = operation;
      return tf.pad(
        first,
        shape.map((_, i) => (i === axis ? [before, after] : [0, 0])),
      );
    }
    case "gradient":
      throw new RangeError("Expected gradients to have been derived");
  }
};
