namespace DynNet.Native;

/// <summary>Which average of a model's values a trainer keeps.</summary>
public enum MovingAverage
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>The mean of all values averaged so far.</summary>
    Cumulative = 1,

    /// <summary>A mean in which older values weigh less and less.</summary>
    Exponential = 2,
}
