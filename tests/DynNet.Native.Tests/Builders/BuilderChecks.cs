using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>What the tests of builders share.</summary>
internal static class BuilderChecks
{
    /// <summary>Fills parameters, biases and tables among them, with numbers that look random.</summary>
    /// <param name="model">The model.</param>
    /// <param name="which">Which parameters; all if null.</param>
    internal static void Fill(Model model, Predicate<Parameter>? which = null)
    {
        int count = 0;
        foreach (Parameter parameter in model.Parameters)
        {
            float[] numbers = Numbers((int)parameter.Dim.Size, count++);
            if (which is null || which(parameter))
                parameter.SetValues(numbers);
        }
        foreach (LookupParameter table in model.LookupParameters)
            table.SetValues(Numbers(table.Rows * (int)table.Dim.Size, count++));
    }

    /// <summary>Numbers between -1 and 1, the same everywhere.</summary>
    internal static float[] Numbers(int count, int which) =>
        [.. Enumerable.Range(1, count).Select(i => (float)Math.Sin(12.9898 * i + 78.233 * (which + 1)))];

    /// <summary>All masks of a vector for a dropout rate of a half: each element is 0 or 2.</summary>
    internal static IEnumerable<Expression> Masks(ComputationGraph graph, int size) =>
        Enumerable.Range(0, 1 << size).Select(
            bits => graph.Input([.. Enumerable.Range(0, size).Select(i => 2f * ((bits >> i) & 1))]));

    /// <summary>Compares values, and the gradients with respect to all parameters of a function of them.</summary>
    internal static void AssertSame(Model model, Expression found, Expression expected)
    {
        AssertNear(found.ToArray(), expected.ToArray(), 1e-5);
        (string Name, float[] Values)[] expectedGradients = Gradients(expected);
        (string Name, float[] Values)[] foundGradients = Gradients(found);
        using (Assert.EnterMultipleScope())
        {
            for (int i = 0; i < expectedGradients.Length; i++)
            {
                (string name, float[] values) = expectedGradients[i];
                AssertNear(foundGradients[i].Values, values, 1e-4, name);
            }
        }

        (string, float[])[] Gradients(Expression of)
        {
            model.ResetGradients();
            SumElems(Square(of + 0.5)).Backward();
            return
            [
                .. model.Parameters.Select(parameter => (parameter.Name, parameter.Gradient.ToArray())),
                .. model.LookupParameters.SelectMany(
                    table => Enumerable.Range(0, table.Rows).Select(row => (table.Name, table.RowGradient(row)))),
            ];
        }
    }

    /// <summary>Compares numbers, with a tolerance relative to the largest that is expected, or to 1 if that is less.</summary>
    private static void AssertNear(float[] found, float[] expected, double tolerance, string? name = null)
    {
        double largest = Math.Min(1, expected.Length == 0 ? 0 : expected.Max(Math.Abs));
        Assert.That(found, Is.EqualTo(expected).Within(tolerance * largest), name);
    }
}
