using System.Globalization;
using CppSharp.AST;
using CppSharp.AST.Extensions;

namespace DynNet.Native.Bindings;

/// <summary>
/// Reads CppSharp's syntax trees of the headers into <see cref="NativeApi"/>, and refuses what the conventions forbid.
/// </summary>
internal static class HeaderReader
{
    /// <summary>Reads the headers.</summary>
    /// <param name="units">in the order of inclusion; as parsed, before CppSharp's passes, which rename</param>
    public static NativeApi Read(IReadOnlyList<TranslationUnit> units) => new(
        [
            // A header that several include shows in several units.
            .. units.SelectMany(u => u.PreprocessedEntities).OfType<MacroDefinition>()
                .Select(ReadConstant).OfType<NativeConstant>().DistinctBy(constant => constant.Name),
        ],
        [.. InOrder(units, u => u.Enums).Select(ReadEnum)],
        [.. InOrder(units, u => u.Classes).Where(c => !c.IsIncomplete).Select(ReadStruct)],
        [.. InOrder(units, u => u.Typedefs).Where(t => IsOpaque(t.Type)).Select(t => new NativeOpaque(t.Name, Doc(t)))],
        [.. InOrder(units, u => u.Typedefs).Where(t => FunctionOf(t.Type) is not null).Select(ReadCallback)],
        [.. InOrder(units, u => u.Functions).Select(ReadFunction)]);

    /// <summary>The order of the source, which the trees have for some kinds only.</summary>
    private static IEnumerable<T> InOrder<T>(
        IEnumerable<TranslationUnit> units, Func<TranslationUnit, IEnumerable<T>> declarations) where T : Declaration =>
        units.SelectMany(unit => declarations(unit).OrderBy(d => d.LineNumberStart));

    private static NativeConstant? ReadConstant(MacroDefinition macro) =>
        macro.Name.StartsWith("DN_", StringComparison.Ordinal)
        && int.TryParse(macro.Expression, NumberStyles.Integer, CultureInfo.InvariantCulture, out int value)
            ? new NativeConstant(macro.Name, value) : null;

    private static NativeEnum ReadEnum(Enumeration native) => new(native.Name, Doc(native),
        [.. native.Items.Select(i => new NativeEnumItem(i.Name, unchecked((int)i.Value), Doc(i)))]);

    private static NativeStruct ReadStruct(Class native) => new(native.Name, native.Layout.Size, Doc(native),
    [
        .. native.Fields.Select(field =>
        {
            int offset = (int)native.Layout.Fields.First(f => f.Name == field.OriginalName).Offset;
            return field.Type is ArrayType array
                ? new NativeField(field.Name, Type(array.QualifiedType, field), (int)array.Size, offset, Doc(field))
                : new NativeField(field.Name, Type(field.QualifiedType, field), 0, offset, Doc(field));
        }),
    ]);

    private static NativeCallback ReadCallback(TypedefNameDecl typedef)
    {
        FunctionType function = FunctionOf(typedef.Type)!;
        return new NativeCallback(
            typedef.Name, Type(function.ReturnType, typedef), Parameters(function.Parameters, typedef), Doc(typedef));
    }

    private static NativeFunction ReadFunction(Function function)
    {
        if (function.IsVariadic)
            throw Error(function, "a function takes a fixed number of arguments");
        return new NativeFunction(function.Name, Type(function.ReturnType, function),
            Parameters(function.Parameters, function), Doc(function), Place(function));
    }

    private static NativeParameter[] Parameters(IEnumerable<Parameter> parameters, Declaration owner) =>
    [
        .. parameters.Select(p => p.Name.Length > 0
            ? new NativeParameter(p.Name, Type(p.QualifiedType, owner))
            : throw Error(owner, "every parameter has a name")),
    ];

    private static CType Type(QualifiedType type, Declaration owner) => type.Type switch
    {
        // Typedefs first: they carry the names, such as int32_t, that the desugared types have lost.
        TypedefType { Declaration: var typedef } when CNamed.Scalars.ContainsKey(typedef.Name) =>
            new CNamed(typedef.Name, CTypeKind.Scalar),
        TypedefType { Declaration: var typedef } when FunctionOf(typedef.Type) is not null =>
            new CNamed(typedef.Name, CTypeKind.Callback),
        TypedefType { Declaration: var typedef } when typedef.Type is TagType => Type(typedef.QualifiedType, owner),
        BuiltinType { Type: PrimitiveType.Void } => new CNamed("void", CTypeKind.Scalar),
        BuiltinType { Type: PrimitiveType.Char } => new CNamed("char", CTypeKind.Scalar),
        BuiltinType { Type: PrimitiveType.Float } => new CNamed("float", CTypeKind.Scalar),
        BuiltinType { Type: PrimitiveType.Double } => new CNamed("double", CTypeKind.Scalar),
        TagType { Declaration: Enumeration declaration } => new CNamed(declaration.Name, CTypeKind.Enum),
        TagType { Declaration: Class declaration } => new CNamed(
            declaration.Name, declaration.IsIncomplete ? CTypeKind.Opaque : CTypeKind.Struct),
        PointerType pointer when pointer.Pointee is not FunctionType => new CPointer(
            Type(pointer.QualifiedPointee, owner), pointer.QualifiedPointee.Qualifiers.IsConst),
        _ => throw Error(owner, $"the type {type.Type} is none that the conventions allow; callbacks need a typedef"),
    };

    private static bool IsOpaque(CppSharp.AST.Type type) =>
        type is TagType { Declaration: Class { IsIncomplete: true } };

    private static FunctionType? FunctionOf(CppSharp.AST.Type type) =>
        (type.Desugar() as PointerType)?.Pointee as FunctionType;

    private static DocComment Doc(Declaration declaration) =>
        DocComment.Read(declaration.Comment?.Text, Place(declaration));

    private static string Place(Declaration declaration) =>
        $"{declaration.TranslationUnit.FileName}({declaration.LineNumberStart})";

    private static HeaderException Error(Declaration declaration, string message) =>
        new(Place(declaration), $"{declaration.Name}: {message}");
}
