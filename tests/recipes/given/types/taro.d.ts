// Taro's own components are large, and nothing of the recipe depends on their types.
declare module "@tarojs/components";
