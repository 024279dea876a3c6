using System.Globalization;

namespace DynNet.Native.Bindings;

/// <summary>How C names become C# names.</summary>
internal static class Names
{
    /// <summary>C's abbreviations, spelled out.</summary>
    private static readonly Dictionary<string, string> TypeNames = new() { ["dn_expr"] = "NativeExpression" };

    /// <summary>The public classes that stand for the nouns of the C ABI, as comments refer to them.</summary>
    private static readonly Dictionary<string, string> ClassNames = new()
    {
        ["graph"] = "ComputationGraph",
        ["lstm"] = "VanillaLstmBuilder",
    };

    /// <summary>The exceptions that the library throws for the statuses: the table of its Status class.</summary>
    private static readonly Dictionary<string, string> ExceptionNames = new()
    {
        ["DN_E_ARGUMENT"] = "ArgumentException",
        ["DN_E_SHAPE"] = "ShapeMismatchException",
        ["DN_E_STALE"] = "StaleExpressionException",
        ["DN_E_INDEX"] = "ArgumentOutOfRangeException",
        ["DN_E_BUSY"] = "InvalidOperationException",
        ["DN_E_MEMORY"] = "InsufficientMemoryException",
        ["DN_E_FORMAT"] = "ModelFormatException",
        ["DN_E_NOT_FOUND"] = "FileNotFoundException",
        ["DN_E_IO"] = "IOException",
        ["DN_E_DISPOSED"] = "ObjectDisposedException",
        ["DN_E_VALUE"] = "NotFiniteNumberException",
        ["DN_E_DEVICE"] = "DeviceException",
        ["DN_E_STATE"] = "InvalidOperationException",
        ["DN_E_CANCELLED"] = "OperationCanceledException",
        ["DN_E_PERMISSION"] = "UnauthorizedAccessException",
    };

    private static readonly HashSet<string> Keywords =
    [
        "as", "base", "bool", "break", "byte", "case", "char", "checked", "class", "const", "decimal",
        "default", "double", "else", "enum", "event", "fixed", "float", "for", "if", "in", "int", "is",
        "lock", "long", "new", "null", "object", "operator", "out", "override", "params", "ref", "return",
        "sizeof", "static", "string", "switch", "this", "throw", "try", "using", "void", "while",
    ];

    /// <summary>some_name to SomeName.</summary>
    public static string Pascal(string name) => string.Concat(name.Split('_', StringSplitOptions.RemoveEmptyEntries)
        .Select(word => char.ToUpper(word[0], CultureInfo.InvariantCulture) + word[1..].ToLowerInvariant()));

    /// <summary>some_name to someName.</summary>
    public static string Camel(string name)
    {
        string pascal = Pascal(name);
        return Identifier(char.ToLower(pascal[0], CultureInfo.InvariantCulture) + pascal[1..]);
    }

    /// <summary>The name, with an @ if it is a keyword of C#.</summary>
    public static string Identifier(string name) => Keywords.Contains(name) ? "@" + name : name;

    /// <summary>dn_dim to NativeDim.</summary>
    public static string Type(string name) => TypeNames.GetValueOrDefault(name) ?? "Native" + Pascal(Noun(name));

    /// <summary>dn_model to ModelHandle.</summary>
    public static string Handle(string name) => Pascal(Noun(name)) + "Handle";

    /// <summary>The noun of a type: dn_model to model.</summary>
    public static string Noun(string name) => name["dn_".Length..];

    /// <summary>The public class for a noun: graph to ComputationGraph.</summary>
    public static string Class(string noun) => ClassNames.GetValueOrDefault(noun) ?? Pascal(noun);

    /// <summary>The exception for a status: DN_E_SHAPE to ShapeMismatchException.</summary>
    public static string Exception(string status) => ExceptionNames.GetValueOrDefault(status) ?? "DynNetException";

    /// <summary>
    /// The names of an enum's items: DN_E_SHAPE to Shape, DN_INIT_GLOROT to Glorot. The word after DN_ goes if at least
    /// half the items begin with it.
    /// </summary>
    public static IReadOnlyList<string> Items(NativeEnum native)
    {
        string[] names = [.. native.Items.Select(i => i.Name["DN_".Length..])];
        string? word = names.Where(n => n.Contains('_')).Select(n => n[..(n.IndexOf('_') + 1)])
            .FirstOrDefault(w => names.Count(n => n.StartsWith(w, StringComparison.Ordinal)) * 2 >= names.Length);
        bool HasWord(string name) => word is not null && name.StartsWith(word, StringComparison.Ordinal);
        return [.. names.Select(n => Pascal(HasWord(n) ? n[word!.Length..] : n))];
    }
}
