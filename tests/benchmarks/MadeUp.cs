namespace DynNet.Native.Benchmarks;

/// <summary>Words by number: each new one gets the next.</summary>
internal sealed class Numbering
{
    private readonly Dictionary<string, int> _numbers = [];

    public int Count => _numbers.Count;

    public int this[string word]
    {
        get
        {
            if (!_numbers.TryGetValue(word, out int number))
                _numbers.Add(word, number = _numbers.Count);
            return number;
        }
    }
}

/// <summary>Numbers as frequent as words: the k-th with a probability of 1 / (k + 2.7), as Mandelbrot had it.</summary>
internal sealed class Zipf
{
    private readonly double[] _cumulative;
    private readonly Random _random;

    public Zipf(int count, Random random)
    {
        _random = random;
        _cumulative = new double[count];
        double sum = 0;
        for (int i = 0; i < count; i++)
            _cumulative[i] = sum += 1 / (i + 1 + 2.7);
    }

    public int Next()
    {
        int at = Array.BinarySearch(_cumulative, _random.NextDouble() * _cumulative[^1]);
        return Math.Min(at < 0 ? ~at : at, _cumulative.Length - 1);
    }
}

internal static class RandomExtensions
{
    /// <summary>A length of at least 1, normally distributed apart from that.</summary>
    public static int NextLength(this Random random, double mean, double deviation)
    {
        // The sum of 12 uniform numbers is near enough to a normal one.
        double sum = -6;
        for (int i = 0; i < 12; i++)
            sum += random.NextDouble();
        return Math.Max(1, (int)Math.Round(mean + (deviation * sum)));
    }
}
