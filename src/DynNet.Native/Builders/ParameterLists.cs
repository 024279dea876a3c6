namespace DynNet.Native;

/// <summary>The parameters of builders.</summary>
internal static class ParameterLists
{
    /// <summary>A matrix, with the first values of DyNet's.</summary>
    internal static Parameter Matrix(Model model, int rows, int columns) => model.AddParameters([rows, columns]);

    /// <summary>A vector of one number.</summary>
    internal static Parameter Vector(Model model, int size, double value = 0) =>
        model.AddParameters([size], Initializer.Constant(value));

    internal static IReadOnlyList<IReadOnlyList<T>> AsReadOnly<T>(T[][] lists) =>
        Array.AsReadOnly<IReadOnlyList<T>>([.. lists.Select(Array.AsReadOnly)]);

    /// <summary>Copies values, all or none.</summary>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    internal static void Copy(Parameter[] from, Parameter[] to)
    {
        if (!from.Select(parameter => parameter.Dim).SequenceEqual(to.Select(parameter => parameter.Dim)))
        {
            throw new ArgumentException(
                $"The parameters have other shapes: {string.Join(", ", from.AsEnumerable())}; "
                + $"expected {string.Join(", ", to.AsEnumerable())}.",
                nameof(from));
        }
        for (int i = 0; i < from.Length; i++)
            to[i].SetValues(from[i].Values);
    }
}
