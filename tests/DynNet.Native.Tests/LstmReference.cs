namespace DynNet.Native.Tests;

/// <summary>Layers of LSTM in float64, written from the formula and nothing else.</summary>
internal sealed class LstmReference
{
    private readonly double[][] _c;
    private readonly double[][] _h;
    private readonly (double[] Wx, double[] Wh, double[] B)[] _layers;

    /// <summary>Takes Wx {4h, input}, Wh {4h, h} and b {4h} of each layer, column-major.</summary>
    internal LstmReference(params (double[] Wx, double[] Wh, double[] B)[] layers)
    {
        _layers = layers;
        _c = [.. layers.Select(layer => new double[layer.B.Length / 4])];
        _h = [.. layers.Select(layer => new double[layer.B.Length / 4])];
    }

    internal double[] Output => _h[^1];

    /// <summary>The parameters that a builder made, layer by layer.</summary>
    internal static LstmReference Of(Model model)
    {
        double[][] values =
        [
            .. model.Parameters.Where(parameter => parameter.Name.Contains("lstm", StringComparison.Ordinal))
                .Select(parameter => parameter.Values.ToArray().Select(value => (double)value).ToArray()),
        ];
        return new LstmReference([.. values.Chunk(3).Select(layer => (layer[0], layer[1], layer[2]))]);
    }

    internal double[] C(int layer) => _c[layer];

    internal double[] H(int layer) => _h[layer];

    internal void Step(double[] x)
    {
        for (int layer = 0; layer < _layers.Length; layer++)
        {
            (double[] wx, double[] wh, double[] b) = _layers[layer];
            int n = b.Length / 4;
            var sums = (double[])b.Clone();
            AddProduct(wx, x, sums);
            AddProduct(wh, _h[layer], sums);
            for (int i = 0; i < n; i++)
            {
                double input = Logistic(sums[i]);
                double forget = Logistic(sums[n + i] + 1);
                double output = Logistic(sums[2 * n + i]);
                _c[layer][i] = forget * _c[layer][i] + input * Math.Tanh(sums[3 * n + i]);
                _h[layer][i] = output * Math.Tanh(_c[layer][i]);
            }
            x = _h[layer];
        }
    }

    private static double Logistic(double x) => 1 / (1 + Math.Exp(-x));

    private static void AddProduct(double[] matrix, double[] x, double[] sums)
    {
        for (int column = 0; column < x.Length; column++)
        {
            for (int row = 0; row < sums.Length; row++)
                sums[row] += matrix[column * sums.Length + row] * x[column];
        }
    }
}
