// Learns the exclusive or: of two inputs of 1 or -1, whether they differ.
//
//     dotnet run xor.cs
#:project ../DynNet.Native

using DynNet.Native;
using static DynNet.Native.Ops;

(float[] X, float Y)[] examples = [([1, 1], -1), ([1, -1], 1), ([-1, 1], 1), ([-1, -1], -1)];

// What is trained: one hidden layer of 8, and its trainer.
using var model = new Model(seed: 1);
Parameter W = model.AddParameters([8, 2], name: "W");
Parameter b = model.AddParameters([8], Initializer.Constant(0), name: "b");
Parameter V = model.AddParameters([1, 8], name: "V");
Parameter a = model.AddParameters([1], Initializer.Constant(0), name: "a");
using var trainer = new AdamTrainer(model, learningRate: 0.05);

using var graph = new ComputationGraph();
for (int epoch = 0; epoch <= 100; epoch++)
{
    double total = 0;
    foreach ((float[] x, float y) in examples)
    {
        // The graph is built anew for each example; nothing is computed until a value is asked for.
        graph.Renew();
        Expression loss = SquaredDistance(Network(x), graph.Input(y));
        total += loss.ScalarValue();
        loss.Backward();
        trainer.Update();
    }
    if (epoch % 20 == 0)
        Console.WriteLine(FormattableString.Invariant($"after {epoch,3} rounds the loss is {total / 4:f4}"));
}

// DyNet reads this file too.
model.Save("xor.model");
graph.Renew();
string[] outputs = [.. examples.Select(example => Network(example.X).ScalarValue()).Select(Text)];
Console.WriteLine("(1, 1)  (1, -1)  (-1, 1)  (-1, -1)");
Console.WriteLine(string.Join("  ", outputs));

Expression Network(float[] x) => V * Tanh(W * graph.Input(x) + b) + a;

static string Text(float value) => FormattableString.Invariant($"{value:f2}");
